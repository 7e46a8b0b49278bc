// Package child runs a program as a child of the test: in a process group of its own, with its error output kept for
// the failure message, killed when the test ends or when the test binary itself is killed.
//
// One goroutine per child starts it and waits for it; everything else only reads what that goroutine publishes when it
// closes the done channel.
package child
