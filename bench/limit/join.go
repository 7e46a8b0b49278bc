package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/valyala/fastjson"
)

// campaign is what is counted of one campaign since the last tick.
type campaign struct {
	id    string
	views int64
	spent float64
}

var errNoAd = errors.New("the advertisement is not in the table")

// campaigns finds the campaign of an advertisement. Advertisements of one campaign share it.
type campaigns struct {
	byAd map[string]*campaign
	all  []*campaign
}

// readCampaigns reads a CSV file with the columns ad_id and campaign_id, in this order, and a header.
func readCampaigns(path string) (*campaigns, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read campaigns: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read campaigns: %w", err)
	}
	c := &campaigns{byAd: map[string]*campaign{}}
	byID := map[string]*campaign{}
	for i, row := range rows {
		if i == 0 {
			continue
		}
		if len(row) != 2 {
			return nil, fmt.Errorf("read campaigns: row %d has %d columns, not 2", i+1, len(row))
		}
		its := byID[row[1]]
		if its == nil {
			its = &campaign{id: row[1]}
			byID[row[1]] = its
			c.all = append(c.all, its)
		}
		c.byAd[row[0]] = its
	}
	return c, nil
}

// joinCount counts views and sums prices per campaign and second.
type joinCount struct {
	*campaigns

	out    *producer
	parser fastjson.Parser
}

func (j *joinCount) take(records []*kgo.Record) error {
	for _, r := range records {
		if err := j.add(r.Value); err != nil {
			return fmt.Errorf("count record %d of partition %d: %w", r.Offset, r.Partition, err)
		}
	}
	return j.out.failed()
}

func (j *joinCount) add(value []byte) error {
	event, err := j.parser.ParseBytes(value)
	if err != nil {
		return fmt.Errorf("parse event: %w", err)
	}
	if string(event.GetStringBytes("event_type")) != "view" {
		return nil
	}
	its := j.byAd[string(event.GetStringBytes("ad_id"))]
	if its == nil {
		return errNoAd
	}
	its.views++
	its.spent += event.GetFloat64("price")
	return nil
}

// tick produces what was counted since the last one.
func (j *joinCount) tick() error {
	for _, r := range j.flush() {
		j.out.produce(r)
	}
	return j.out.failed()
}

// flush returns a record for each campaign that had views, and begins anew.
func (j *joinCount) flush() []*kgo.Record {
	var records []*kgo.Record
	for _, its := range j.all {
		if its.views == 0 {
			continue
		}
		value := append(append([]byte(`{"campaign_id":"`), its.id...), `","views":`...)
		value = append(strconv.AppendInt(value, its.views, 10), `,"spent":`...)
		value = append(strconv.AppendFloat(value, its.spent, 'f', -1, 64), '}')
		records = append(records, &kgo.Record{Key: []byte(its.id), Value: value})
		its.views, its.spent = 0, 0
	}
	return records
}

func (j *joinCount) finish(ctx context.Context) error {
	if err := j.tick(); err != nil {
		return err
	}
	return j.out.finish(ctx)
}
