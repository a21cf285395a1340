package cli

import "github.com/slipway-cd/slipway/cli/terminal"

func table(d description) terminal.Table {
	var t terminal.Table
	t.Add("project", string(d.Project))
	if d.Version == "" {
		t.Add("version", "none: "+d.Reason)
	} else {
		t.Add("version", d.Version)
		t.Add("", d.Reason)
	}
	branch := "none"
	if d.Branch != "" {
		branch = d.Branch + " (from " + d.BranchOf + ")"
	}
	t.Add("branch", branch)
	if d.Commit != "" {
		commit := d.Commit
		if d.Dirty {
			commit += " with changes that are not committed"
		}
		t.Add("commit", commit)
	}
	if d.Image != "" {
		t.Add("image", d.Image)
	}
	t.Add("store", string(d.Store))
	for i, a := range d.Artifacts {
		label := ""
		if i == 0 {
			label = "artifacts"
		}
		t.Add(label, a)
	}
	return t
}
