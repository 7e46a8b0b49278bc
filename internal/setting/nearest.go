package setting

import "strings"

// Nearest returns the candidate that a user who wrote word most likely meant, and whether any is near enough: at most a
// third of its letters wrong. Case, hyphens and underscores do not count, so that maxRecords finds max_records.
func Nearest(word string, candidates []string) (string, bool) {
	word = plain(word)
	best, bestDistance := "", -1
	for _, candidate := range candidates {
		other := plain(candidate)
		distance := editDistance(word, other)
		if distance > max(1, max(len(word), len(other))/3) || distance >= max(len(word), len(other)) {
			continue
		}
		if bestDistance < 0 || distance < bestDistance {
			best, bestDistance = candidate, distance
		}
	}
	return best, bestDistance >= 0
}

func plain(word string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(word))
}

// editDistance counts inserted, deleted, replaced and swapped neighbouring bytes (optimal string alignment).
func editDistance(a, b string) int {
	before, previous, current := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous, current = previous, current, before
	}
	return previous[len(b)]
}
