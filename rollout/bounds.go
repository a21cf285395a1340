package rollout

// Bounds are between which numbers autoscaling keeps the tasks of a service.
type Bounds struct {
	Least int `json:"least"`
	Most  int `json:"most"`
}

// Allow reports whether autoscaling would leave a number as it is.
func (b Bounds) Allow(count int) bool { return count >= b.Least && count <= b.Most }
