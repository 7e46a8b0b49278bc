package demo

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What must come out is what a reader of JSON gets by picking three fields of what goes in.
func TestViewIsTheProjectionOfTheEvent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		event := NewEvent(rapid.Uint64().Draw(r, "seed"), rapid.Int32Range(0, partitions-1).Draw(r, "partition"),
			rapid.Int64Min(0).Draw(r, "seq"))
		at := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(r, "at"))
		whole, view := map[string]string{}, map[string]string{}
		if err := json.Unmarshal(event.AppendJSON(nil, at), &whole); err != nil {
			r.Fatal(err)
		}
		if err := json.Unmarshal(event.AppendView(nil, at), &view); err != nil {
			r.Fatal(err)
		}
		want := map[string]string{
			"ad_id": whole["ad_id"], "event_time": whole["event_time"], "campaign_id": whole["campaign_id"],
		}
		if !maps.Equal(view, want) {
			r.Errorf("view %v, want %v", view, want)
		}
		if event.IsView() != (whole["event_type"] == "view") {
			r.Errorf("IsView %v of type %s", event.IsView(), whole["event_type"])
		}
		if back, err := time.Parse(time.RFC3339, whole["event_time"]); err != nil || !back.Equal(at) {
			r.Errorf("event_time %s is not %s: %v", whole["event_time"], at.UTC(), err)
		}
	})
}

func TestEventsFollowFromSeedPartitionAndNumber(t *testing.T) {
	t.Parallel()
	if first, again := NewEvent(1, 2, 3), NewEvent(1, 2, 3); first != again {
		t.Errorf("the same event twice is %+v and %+v", first, again)
	}
	different := 0
	for seq := range int64(100) {
		for _, other := range []Event{NewEvent(2, 2, seq), NewEvent(1, 3, seq), NewEvent(1, 2, seq+1)} {
			if NewEvent(1, 2, seq) != other {
				different++
			}
		}
	}
	if different < 295 {
		t.Errorf("only %d of 300 neighbours differ", different)
	}
}

func TestTypesAreMixed(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	const n = 20_000
	for seq := range int64(n) {
		kinds[NewEvent(7, 0, seq).Type]++
	}
	for kind, percent := range map[string]int{"view": 65, "click": 25, "purchase": 10} {
		if got := kinds[kind] * 100 / n; got < percent-2 || got > percent+2 {
			t.Errorf("%d %% are %s, want about %d %%", got, kind, percent)
		}
	}
}
