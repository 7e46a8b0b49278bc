package pipeline

import "streamer/internal/record"

// goOn applies on_error to the record at b.In[i]. It returns false if the block ends before the record.
func (c *Chain) goOn(b *record.Block, i int, failure *record.Failure) bool {
	switch c.onError.Policy(failure.Class) {
	case Skip:
		b.Skipped = append(b.Skipped, *failure)
		return true
	case DeadLetter:
		r := b.In[i]
		b.Dead = append(b.Dead, record.DeadLetter{
			Failure: *failure, Owner: b.Owner, Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp,
		})
		return true
	}
	b.Stop(i, failure)
	return false
}
