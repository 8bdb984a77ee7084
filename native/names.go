package native

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/nanoring/nanoring/core/wire"
)

// CheckName says what is wrong with a name that somebody gives to a node or a ring, or with
// a tag's key, and what was meant, probably. It is stricter than wire.ValidName, for names
// that people confuse, or cannot see: those that exist already are taken as they are.
func CheckName(name string) error {
	if err := checkSight(name); err != nil {
		return err
	}
	err := wire.ValidName(name)
	if before, _, address := strings.Cut(name, "@"); err != nil && address && CheckName(before) == nil {
		return fmt.Errorf("%w: a name has no address in it, did you mean %q?", err, before)
	}
	return err
}

// checkSight says what of it people cannot see.
func checkSight(name string) error {
	meant := strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Zs, r):
			return ' '
		case !visible(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "")))
	var what string
	switch {
	case name == "":
		return errors.New("it is empty")
	case meant == "":
		return fmt.Errorf("%s is blank", shown(name))
	case strings.TrimSpace(name) != name:
		what = "has spaces around it"
	case meant != name:
		what = "has characters that nobody sees"
	default:
		return nil
	}
	if wire.ValidName(meant) != nil {
		return fmt.Errorf("%s %s", shown(name), what)
	}
	return fmt.Errorf("%s %s: did you mean %q?", shown(name), what, meant)
}

// visible says whether people see a character. Other scripts than ours are as good; but of
// theirs, too, some characters are drawn as nothing.
func visible(r rune) bool {
	return unicode.IsPrint(r) && r != '\u2800' && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// shown quotes a name in which everything can be seen.
func shown(name string) string {
	if strings.IndexFunc(name, func(r rune) bool { return unicode.IsPrint(r) && !visible(r) }) >= 0 {
		return strconv.QuoteToASCII(name)
	}
	return strconv.Quote(name)
}

// checkKey checks a tag's key.
func checkKey(key string) error {
	if err := checkSight(key); err != nil {
		return fmt.Errorf("the key of a tag: %w", err)
	}
	return nil
}
