// Package readability estimates how hard an English text is to read, for tests of the texts that
// people read.
package readability

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	sentenceEnd = regexp.MustCompile(`[.!?]+(\s|$)`)
	wordForm    = regexp.MustCompile(`[\p{L}\p{N}'’-]+`)
)

// Grade returns the Flesch-Kincaid grade of an English text: about the years of school that
// it takes to read it.
func Grade(text string) float64 {
	sentences := len(sentenceEnd.FindAllString(text+".", -1))
	words := wordForm.FindAllString(text, -1)
	syllables := 0
	for _, w := range words {
		syllables += syllablesOf(w)
	}
	perSentence := float64(len(words)) / float64(max(sentences, 1))
	perWord := float64(syllables) / float64(max(len(words), 1))
	return 0.39*perSentence + 11.8*perWord - 15.59
}

// irregular are words that the rules of syllablesOf count wrong.
var irregular = map[string]int{
	"people": 2, "something": 2, "someone": 2, "somewhere": 2, "safely": 2, "programmes": 2,
	"programme": 2, "area": 3, "areas": 3, "early": 2, "create": 2, "ideas": 3, "being": 2,
	"their": 1, "there": 1, "idea": 3, "science": 2, "does": 1, "goes": 1, "once": 1,
	"careful": 2, "every": 2, "everyone": 3,
}

// syllablesOf counts groups of vowels, less a silent e at the end.
func syllablesOf(word string) int {
	word = strings.TrimSuffix(strings.ToLower(strings.ReplaceAll(word, "’", "'")), "'s")
	if n, ok := irregular[word]; ok {
		return n
	}
	count, before := 0, false
	for _, c := range word {
		vowel := strings.ContainsRune("aeiouy", c)
		if vowel && !before {
			count++
		}
		before = vowel || !unicode.IsLetter(c) && before
	}
	switch {
	case strings.HasSuffix(word, "le"): // table, but not "whole", which has one group less
		if len(word) > 2 && strings.ContainsRune("aeiouy", rune(word[len(word)-3])) {
			count--
		}
	case strings.HasSuffix(word, "ee"), strings.HasSuffix(word, "ye"):
	case strings.HasSuffix(word, "e"):
		count--
	case strings.HasSuffix(word, "es") && !softEnd.MatchString(word):
		count--
	case silentEd.MatchString(word):
		count--
	}
	return max(count, 1)
}

// silentEd is an ending whose e is not heard: shared, but not wanted or needed.
var silentEd = regexp.MustCompile(`[^td]ed$`)

// softEnd are the endings whose e is heard: services, misses, changes, or that end in a vowel.
var softEnd = regexp.MustCompile(`(c|s|x|z|g|ch|sh|[aeiouy])es$`)
