package ecsapi

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// A known account setting: what it is without anybody's doing, and what it can be.
type known struct {
	name   types.SettingName
	value  string
	values []string
}

// The account settings and AWS's defaults. [ECS guide, account settings; API reference: PutAccountSetting]
func knownSettings() []known {
	either, insights := []string{"enabled", "disabled"}, []string{"enabled", "disabled", "enhanced"}
	onOff := []string{"on", "off"}
	return []known{
		{types.SettingNameAwsvpcTrunking, "disabled", either},
		{types.SettingNameContainerInsights, "disabled", insights},
		{types.SettingNameContainerInstanceLongArnFormat, "enabled", either},
		{types.SettingNameDefaultLogDriverMode, "non-blocking", []string{"blocking", "non-blocking"}},
		{types.SettingName("dualStackIPv6"), "enabled", either},
		{types.SettingNameFargateEventWindows, "disabled", either},
		{types.SettingNameFargateFipsMode, "disabled", either},
		{types.SettingNameFargateTaskRetirementWaitPeriod, "7", []string{"0", "7", "14"}},
		{types.SettingNameGuardDutyActivate, "off", nil},
		{types.SettingNameServiceLongArnFormat, "enabled", either},
		{types.SettingNameTagResourceAuthorization, "off", onOff},
		{types.SettingNameTaskLongArnFormat, "enabled", either},
	}
}

func knownSetting(name types.SettingName) (known, bool) {
	list := knownSettings()
	if i := slices.IndexFunc(list, func(k known) bool { return k.name == name }); i >= 0 {
		return list[i], true
	}
	return known{}, false
}

// effective is the value of an account setting for everybody who has none of his own.
func effective(snap state.Snapshot, name types.SettingName) *string {
	if set, ok := snap.Setting(name, ""); ok {
		return &set.Value
	}
	k, _ := knownSetting(name)
	return &k.value
}

// PutAccountSetting sets an account setting for one principal; without one, for the caller, who here is the account's
// root, and so for the whole account.
func (s *Server) PutAccountSetting(_ context.Context, in *ecs.PutAccountSettingInput) (*ecs.PutAccountSettingOutput, error) {
	doc, err := s.putSetting(in.Name, in.Value, s.principal(in.PrincipalArn))
	if err != nil {
		return nil, err
	}
	return &ecs.PutAccountSettingOutput{Setting: doc}, nil
}

// PutAccountSettingDefault sets an account setting for all principals that have none of their own.
func (s *Server) PutAccountSettingDefault(_ context.Context, in *ecs.PutAccountSettingDefaultInput) (*ecs.PutAccountSettingDefaultOutput, error) {
	doc, err := s.putSetting(in.Name, in.Value, "")
	if err != nil {
		return nil, err
	}
	return &ecs.PutAccountSettingDefaultOutput{Setting: doc}, nil
}

func (s *Server) root() string { return "arn:aws:iam::" + s.engine.Identity().Account + ":root" }

// principal returns whose settings are meant: the root's are those of the account.
func (s *Server) principal(arn *string) string {
	if p := awsdoc.Or(arn, ""); p != s.root() {
		return p
	}
	return ""
}

func (s *Server) putSetting(name types.SettingName, value *string, principal string) (*types.Setting, error) {
	k, ok := knownSetting(name)
	switch {
	case !ok:
		return nil, invalid("Invalid setting name: %s", name)
	case k.values == nil:
		return nil, invalid("The account setting %s is read-only.", name)
	case !slices.Contains(k.values, awsdoc.Or(value, "")):
		return nil, invalid("Invalid value %q for the account setting %s: it must be one of %v.", awsdoc.Or(value, ""), name, k.values)
	}
	set := &state.Setting{Name: name, Principal: principal, Value: *value}
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		tx.Put(set)
		return nil
	})
	return s.describeSetting(name, set.Value, principal), err
}

func (s *Server) describeSetting(name types.SettingName, value, principal string) *types.Setting {
	doc := &types.Setting{Name: name, Value: &value, PrincipalArn: &principal, Type: types.SettingTypeUser}
	if principal == "" {
		doc.PrincipalArn = awsdoc.Text("%s", s.root())
	}
	if name == types.SettingNameGuardDutyActivate {
		doc.Type = types.SettingTypeAwsManaged
	}
	return doc
}

// DeleteAccountSetting takes back what was set for a principal. What was not set is answered with AWS's default.
func (s *Server) DeleteAccountSetting(_ context.Context, in *ecs.DeleteAccountSettingInput) (*ecs.DeleteAccountSettingOutput, error) {
	if _, ok := knownSetting(in.Name); !ok {
		return nil, invalid("Invalid setting name: %s", in.Name)
	}
	principal := s.principal(in.PrincipalArn)
	var value string
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		value = *effective(tx.Snapshot, in.Name)
		if set, ok := tx.Setting(in.Name, principal); ok {
			value = set.Value
			tx.Delete(set)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteAccountSettingOutput{Setting: s.describeSetting(in.Name, value, principal)}, nil
}

// ListAccountSettings lists what was set for a principal, or, when the effective settings are asked for, what holds for him.
func (s *Server) ListAccountSettings(_ context.Context, in *ecs.ListAccountSettingsInput) (*ecs.ListAccountSettingsOutput, error) {
	if _, ok := knownSetting(in.Name); in.Name != "" && !ok {
		return nil, invalid("Invalid setting name: %s", in.Name)
	}
	if in.Value != nil && in.Name == "" {
		return nil, invalid("You must specify an account setting name to filter by a value.")
	}
	snap := s.engine.DB().Read()
	principal := s.principal(in.PrincipalArn)
	found, names := map[string]*types.Setting{}, []string{}
	for _, k := range knownSettings() {
		value, ok := "", false
		if set, has := snap.Setting(k.name, principal); has {
			value, ok = set.Value, true
		} else if in.EffectiveSettings {
			value, ok = *effective(snap, k.name), true
		}
		if ok && (in.Name == "" || in.Name == k.name) && (in.Value == nil || *in.Value == value) {
			names = append(names, string(k.name))
			found[string(k.name)] = s.describeSetting(k.name, value, principal)
		}
	}
	names, next, err := pageInOrder(names, awsdoc.Ascending, in.NextToken, in.MaxResults, 10)
	if err != nil {
		return nil, err
	}
	out := &ecs.ListAccountSettingsOutput{NextToken: next}
	for _, name := range names {
		out.Settings = append(out.Settings, *found[name])
	}
	return out, nil
}
