// Package admin is the HTTP side of a running service: health, metrics, status, and a small page that lists them.
//
// It knows nothing of Kafka or of the stages: it is given functions to ask ([Deps]) and asks them once per request, so an
// answer is never older than the request. Everything is read-only: no request changes the service.
//
// Health has two questions, kept apart on purpose. [Watch] answers /livez and is red only when a stage of ours has work
// and does not move: restarting helps then, and only then. /readyz is about the outside (joined, brokers reachable). If
// an outage of Kafka or of the sink turned /livez red, an orchestrator would restart every replica in the middle of it.
//
// Ownership: [Server.Run] owns the listener and the serving goroutine. A [Heartbeat] is marked by its stage's goroutine
// and read by request goroutines, without locks.
package admin
