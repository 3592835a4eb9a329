package plaintext

// Nearest returns the known word that a user may have meant by a mistyped word: the one with the
// fewest slips, at most two and fewer than its letters. It returns "" if there is none.
func Nearest(word string, known []string) string {
	best, least := "", 3
	if len(word) <= 40 {
		for _, k := range known {
			if d := slips(word, k); d < min(least, len(k)) {
				best, least = k, d
			}
		}
	}
	return best
}

// slips counts the letters to insert, drop or replace to turn one word into the other.
func slips(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
