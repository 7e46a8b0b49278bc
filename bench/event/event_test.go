package event_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"streamer/bench/event"
)

type ad struct {
	EventType string  `json:"event_type"`
	AdID      string  `json:"ad_id"`
	EventTime int64   `json:"event_time"`
	Price     float64 `json:"price"`
}

// TestEvents would catch events that are no JSON, not of the size that the tables name, or of one kind only.
func TestEvents(t *testing.T) {
	for size, want := range map[event.Size]int{event.Small: 100, event.Large: 250} {
		g := event.NewGenerator(1, size)
		const count = 3000
		kinds, ads, bytes := map[string]int{}, map[string]bool{}, 0
		for i := range int64(count) {
			all, value := g.Next([]byte("before"), event.FirstTime+i)
			key := string(all[len("before"):value])
			if !strings.HasPrefix(key, "user-") {
				t.Fatalf("key %q", key)
			}
			var e ad
			if err := json.Unmarshal(all[value:], &e); err != nil {
				t.Fatalf("%s: %v", all[value:], err)
			}
			if e.EventTime != event.FirstTime+i || e.Price < 0 || e.Price >= 10 {
				t.Fatalf("event %+v", e)
			}
			kinds[e.EventType]++
			ads[e.AdID] = true
			bytes += len(all) - value
		}
		if mean := bytes / count; mean < want*9/10 || mean > want*11/10 {
			t.Errorf("size %d: %d bytes on average, want about %d", size, mean, want)
		}
		if views := kinds["view"]; len(kinds) != 3 || views < count/4 || views > count/2 {
			t.Errorf("size %d: kinds %v, want a third of each", size, kinds)
		}
		if len(ads) < event.Ads*9/10 {
			t.Errorf("size %d: %d advertisements, want nearly %d", size, len(ads), event.Ads)
		}
	}
}

func TestTheSeedDecides(t *testing.T) {
	make1 := func(seed uint64) (text []byte) {
		g := event.NewGenerator(seed, event.Large)
		for i := range int64(100) {
			text, _ = g.Next(text, i)
		}
		return text
	}
	if first, again := make1(7), make1(7); string(first) != string(again) {
		t.Error("the same seed gave other events")
	}
	if string(make1(7)) == string(make1(8)) {
		t.Error("another seed gave the same events")
	}
}

func TestTable(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(event.Table())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	campaigns := map[string]bool{}
	for _, row := range rows[1:] {
		campaigns[row[1]] = true
	}
	if len(rows) != event.Ads+1 || len(campaigns) != event.Campaigns || rows[0][0] != "ad_id" {
		t.Errorf("%d rows, %d campaigns", len(rows), len(campaigns))
	}
}
