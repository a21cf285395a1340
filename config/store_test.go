package config

import (
	"strings"
	"testing"
)

func TestAPasswordInAStoresURLIsRefusedAndNotTold(t *testing.T) {
	t.Parallel()
	err := CheckStoreURL("oci://user:secret@host/repository")
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}
