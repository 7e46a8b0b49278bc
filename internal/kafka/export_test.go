package kafka

// Errors of look-ups, for the tests outside.
var (
	ErrNoLeader = errNoLeader
	ErrNoAnswer = errNoAnswer
)
