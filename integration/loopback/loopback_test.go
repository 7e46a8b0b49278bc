package loopback

import "testing"

// One broker takes eight ports: with two of the same it does not start.
func TestNoPortIsGivenTwice(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range ports / 10 {
		addr, err := FreeAddr(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if seen[addr] {
			t.Fatalf("%s is given again", addr)
		}
		seen[addr] = true
	}
}
