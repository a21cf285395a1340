package state

import (
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// CapacityProvider is an Auto Scaling group that clusters can take their container instances from. Those of Fargate have
// no record: every account has them. Doc is what AWS describes.
type CapacityProvider struct {
	Name string
	Doc  types.CapacityProvider
}

func (p *CapacityProvider) Kind() Kind  { return KindCapacityProvider }
func (p *CapacityProvider) Key() string { return p.Name }

// CapacityProvider returns the capacity provider with that name.
func (s Snapshot) CapacityProvider(name string) (*CapacityProvider, bool) {
	return get[*CapacityProvider](s, KindCapacityProvider, name)
}

// CapacityProviders returns all capacity providers but Fargate's, by name.
func (s Snapshot) CapacityProviders() iter.Seq[*CapacityProvider] {
	return all[*CapacityProvider](s, KindCapacityProvider, "")
}

// Setting is an account setting that somebody changed. An empty principal stands for the whole account.
type Setting struct {
	Name      types.SettingName
	Principal string // ARN; empty: the default of the account
	Value     string
}

func (s *Setting) Kind() Kind  { return KindSetting }
func (s *Setting) Key() string { return SettingKey(s.Name, s.Principal) }

// SettingKey returns the key of an account setting: a principal has each name once.
func SettingKey(name types.SettingName, principal string) string {
	return string(name) + "|" + principal
}

// Setting returns the setting that was made for the principal itself; see Setting.Principal.
func (s Snapshot) Setting(name types.SettingName, principal string) (*Setting, bool) {
	return get[*Setting](s, KindSetting, SettingKey(name, principal))
}

// Settings returns all account settings that were made, by name.
func (s Snapshot) Settings() iter.Seq[*Setting] { return all[*Setting](s, KindSetting, "") }
