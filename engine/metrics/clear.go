package metrics

// Clear drops all points of all series.
func (s *Store) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.series)
}
