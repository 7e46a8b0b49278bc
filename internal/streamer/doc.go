// Package streamer wires the stages into a service and runs it from start to stop.
//
//	         mailbox                        Put                    blocks               wants/gives
//	kgo ◄──► Assignment (1 goroutine) ─────► Pool (N workers) ─────► sequencer (1) ─────► delivery (1) ──► Sink
//	 ▲        poll, cut, pause, commit        Chain.Process           union + batcher       retry              │
//	 │              ▲    ▲                                                  │                                   │
//	 └── commits ───┘    └──────────────── Acknowledged(batch) ◄────────────┼───────────────────────────────────┘
//	                          lag watch ──► Ends                            └─ Begin/Drain/Fence asked by Assignment
//
// Two contexts rule its life. The caller's ends intake: everything that is in a batch by then is delivered and committed,
// within shutdown.timeout. The work context, cancelled when that is done or the time is over, ends everything else; what
// was not committed by then is named in the error.
package streamer
