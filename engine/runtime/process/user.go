//go:build linux

package process

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/slipway-cd/slipway/fault"
)

// identity is whom a program runs as.
type identity struct {
	syscall.Credential
	home string
}

// user finds a "user", "user:group", "uid" or "uid:gid" in the image's own files. [OCI image configuration, "User"]
func (p program) user(text string) (identity, error) {
	who := identity{home: "/"}
	name, group, grouped := strings.Cut(text, ":")
	if name == "" {
		name = "0"
	}
	passwd := p.table("/etc/passwd")
	uid, err := strconv.ParseUint(name, 10, 32)
	known := err == nil
	who.Uid = uint32(uid)
	for _, row := range passwd {
		if len(row) < 6 || row[0] != name && (!known || row[2] != name) {
			continue
		}
		u, uerr := strconv.ParseUint(row[2], 10, 32)
		g, gerr := strconv.ParseUint(row[3], 10, 32)
		if uerr == nil && gerr == nil {
			who.Uid, who.Gid, who.home, known = uint32(u), uint32(g), row[5], true
			name = row[0]
			break
		}
	}
	if !known {
		return who, fault.New(fault.Invalid, "unable to find user %s: no matching entries in passwd file", name)
	}
	groups := p.table("/etc/group")
	if grouped {
		gid, ok := find(groups, group)
		if !ok {
			return who, fault.New(fault.Invalid, "unable to find group %s: no matching entries in group file", group)
		}
		who.Gid = gid
		return who, nil
	}
	for _, row := range groups {
		if len(row) < 4 || !slices.Contains(strings.Split(row[3], ","), name) {
			continue
		}
		if g, err := strconv.ParseUint(row[2], 10, 32); err == nil {
			who.Groups = append(who.Groups, uint32(g))
		}
	}
	return who, nil
}

func find(groups [][]string, name string) (uint32, bool) {
	for _, row := range groups {
		if len(row) >= 3 && row[0] == name {
			gid, err := strconv.ParseUint(row[2], 10, 32)
			return uint32(gid), err == nil
		}
	}
	gid, err := strconv.ParseUint(name, 10, 32)
	return uint32(gid), err == nil
}

// table reads a file of colon-separated rows; none when there is no such file.
func (p program) table(name string) [][]string {
	root, err := os.OpenRoot(filepath.Join(p.root, "/"))
	if err != nil {
		return nil
	}
	defer root.Close()
	text, err := root.ReadFile(strings.TrimPrefix(name, "/"))
	if err != nil {
		return nil
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		rows = append(rows, strings.Split(strings.TrimSpace(line), ":"))
	}
	return rows
}
