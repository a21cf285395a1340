package api_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

func TestAccountSettingsHoldForWhoeverHasNoneOfHisOwn(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	put := func(name types.SettingName, value, principal string) error {
		in := &ecs.PutAccountSettingInput{Name: name, Value: &value}
		if principal != "" {
			in.PrincipalArn = &principal
		}
		_, err := h.ecs.PutAccountSetting(t.Context(), in)
		return err
	}
	h.refused("an unknown name", put("colour", "red", ""), "InvalidParameterException", "colour")
	h.refused("an unknown value", put("containerInsights", "maybe", ""), "InvalidParameterException", "must be one of")
	h.refused("what only AWS sets", put("guardDutyActivate", "on", ""), "InvalidParameterException", "read-only")
	must(h, 0, put("containerInsights", "enhanced", ""))
	must(h, 0, put("fargateTaskRetirementWaitPeriod", "14", "arn:aws:iam::000000000000:user/me"))
	list := func(effective bool, principal string) map[types.SettingName]string {
		found := map[types.SettingName]string{}
		in := &ecs.ListAccountSettingsInput{EffectiveSettings: effective, PrincipalArn: &principal, MaxResults: 5}
		for pages := ecs.NewListAccountSettingsPaginator(h.ecs, in); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			for _, s := range must(h, page, err).Settings {
				found[s.Name] = *s.Value
			}
		}
		return found
	}
	me, root := "arn:aws:iam::000000000000:user/me", "arn:aws:iam::000000000000:root"
	if diff := cmp.Diff(map[types.SettingName]string{"fargateTaskRetirementWaitPeriod": "14"}, list(false, me)); diff != "" {
		t.Errorf("mine: %s", diff)
	}
	if diff := cmp.Diff(map[types.SettingName]string{"containerInsights": "enhanced"}, list(false, root)); diff != "" {
		t.Errorf("the account's: %s", diff)
	}
	if all := list(true, me); len(all) != 12 || all["containerInsights"] != "enhanced" || all["fargateTaskRetirementWaitPeriod"] != "14" || all["awsvpcTrunking"] != "disabled" {
		t.Errorf("what holds for me: %v", all)
	}
	c, err := h.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{})
	if must(h, c, err); *c.Cluster.Settings[0].Value != "enhanced" {
		t.Errorf("a new cluster has %s", *c.Cluster.Settings[0].Value)
	}
	_, err = h.ecs.DeleteAccountSetting(t.Context(), &ecs.DeleteAccountSettingInput{Name: "containerInsights"})
	must(h, 0, err)
	if rest := list(false, root); len(rest) != 0 {
		t.Errorf("left: %v", rest)
	}
}

func TestTasksOfServicesAreProtected(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create("default", "web", h.register("web", nil), nil)
	h.completed("default", "web")
	listed, err := h.ecs.ListTasks(t.Context(), &ecs.ListTasksInput{ServiceName: aws.String("web")})
	tasks := must(h, listed, err).TaskArns
	alone, err := h.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("web")})
	must(h, alone, err)
	out, err := h.ecs.UpdateTaskProtection(t.Context(), &ecs.UpdateTaskProtectionInput{
		Cluster: aws.String("default"), ProtectionEnabled: true, Tasks: append(tasks, *alone.Tasks[0].TaskArn, "0123"), ExpiresInMinutes: aws.Int32(60),
	})
	if must(h, out, err); len(out.ProtectedTasks) != 2 || !out.ProtectedTasks[0].ProtectionEnabled || time.Until(*out.ProtectedTasks[0].ExpirationDate) > time.Hour {
		t.Errorf("protected: %s", h.last.answer())
	}
	if len(out.Failures) != 2 || *out.Failures[0].Reason != "TASK_NOT_VALID" || *out.Failures[1].Reason != "MISSING" {
		t.Errorf("failures: %s", h.last.answer())
	}
	h.update(&ecs.UpdateServiceInput{Service: aws.String("web"), DesiredCount: aws.Int32(1)})
	h.untilEvent("web", "was unable to scale in due to (reason 1 tasks under protection)")
	_, err = h.ecs.UpdateTaskProtection(t.Context(), &ecs.UpdateTaskProtectionInput{Cluster: aws.String("default"), Tasks: tasks})
	must(h, 0, err)
	h.stable("default", "web")
	is, err := h.ecs.GetTaskProtection(t.Context(), &ecs.GetTaskProtectionInput{Cluster: aws.String("default"), Tasks: tasks})
	if must(h, is, err); len(is.ProtectedTasks)+len(is.Failures) != 2 || is.ProtectedTasks[0].ProtectionEnabled {
		t.Errorf("afterwards: %s", h.last.answer())
	}
	_, err = h.ecs.UpdateTaskProtection(t.Context(), &ecs.UpdateTaskProtectionInput{
		Cluster: aws.String("default"), ProtectionEnabled: true, Tasks: tasks, ExpiresInMinutes: aws.Int32(2881),
	})
	h.refused("for too long", err, "InvalidParameterException", "between 1 and 2880")
}
