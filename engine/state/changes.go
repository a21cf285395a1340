package state

// changes are what a write has done so far.
type changes struct {
	list  []Change
	at    map[changed]int // where in the list
	owned []Kind          // whose records are clones, for this write to change
}

type changed struct {
	kind Kind
	key  string
}

// note adds a change. Of several changes to one record there is one in the end, in the place of the last.
func (c *changes) note(kind Kind, key string, before, after Record) {
	if kind == kindUsage { // derived: it is neither stored nor told
		return
	}
	of := changed{kind, key}
	if i, ok := c.at[of]; ok {
		before = c.list[i].Before
		c.list[i] = Change{}
	}
	c.at[of] = len(c.list)
	c.list = append(c.list, Change{Kind: kind, Key: key, Before: before, After: after})
}

// all returns the changes, without what was put and deleted again.
func (c *changes) all() []Change {
	all := make([]Change, 0, len(c.list))
	for _, change := range c.list {
		if change.Before != nil || change.After != nil {
			all = append(all, change)
		}
	}
	return all
}
