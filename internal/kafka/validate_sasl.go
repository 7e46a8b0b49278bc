package kafka

import (
	"slices"
	"strings"

	"streamer/internal/setting"
)

// mechanisms lists them as a user may write them.
func mechanisms() []string {
	return []string{mechanismPlain, mechanismScram256, mechanismScram512, mechanismOAuth, mechanismAWS}
}

func (s SASL) validate(path string) []setting.Fault {
	faults := s.validateUnused(path)
	switch s.Mechanism {
	case "":
	case mechanismPlain, mechanismScram256, mechanismScram512:
		faults = append(faults, s.validateUser(path)...)
	case mechanismOAuth:
		faults = append(faults, s.OAuth.validate(path+".oauth")...)
	case mechanismAWS:
		faults = append(faults, s.AWS.validate(path+".aws")...)
	default:
		faults = append(faults, setting.Fault{
			Field: path + ".mechanism", Value: s.Mechanism, Remedy: "is not supported; write " + orOf(mechanisms()),
		})
	}
	return faults
}

func (s SASL) validateUser(path string) []setting.Fault {
	var faults []setting.Fault
	if s.Username == "" {
		faults = append(faults, setting.Fault{Field: path + ".username", Remedy: "is missing; " + s.Mechanism + " needs a user"})
	}
	return append(faults, validateSecret(path+".password", s.Password, s.PasswordFile)...)
}

// validateSecret wants either the secret or a file that holds it, and reads the file. field is the secret's.
func validateSecret(field string, given setting.Secret, file string) []setting.Fault {
	name := field[strings.LastIndex(field, ".")+1:]
	switch {
	case given != "" && file != "":
		return []setting.Fault{{Field: field + "_file", Value: file, Remedy: "stands beside " + name + "; keep one of the two"}}
	case given == "" && file == "":
		return []setting.Fault{{
			Field: field, Remedy: "is missing; set " + name + "_file, or the variable " + setting.Variable(field),
		}}
	}
	if _, err := secretOf(given, field+"_file", file); err != nil {
		return []setting.Fault{asFault(err, field+"_file", file)}
	}
	return nil
}

// validateUnused refuses what another mechanism would need: whoever wrote it believes that it is the login.
func (s SASL) validateUnused(path string) []setting.Fault {
	known := s.Mechanism == "" || slices.Contains(mechanisms(), s.Mechanism)
	user := s.Username != "" || s.Password != "" || s.PasswordFile != ""
	isUser := s.Mechanism == mechanismPlain || s.Mechanism == mechanismScram256 || s.Mechanism == mechanismScram512
	var faults []setting.Fault
	for _, part := range []struct {
		name, remedy  string
		given, wanted bool
	}{
		{"user and password", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", user, isUser},
		{"section oauth", mechanismOAuth, s.OAuth != (OAuth{}), s.Mechanism == mechanismOAuth},
		{"section aws", mechanismAWS, s.AWS != (AWS{}), s.Mechanism == mechanismAWS},
	} {
		if !known || !part.given || part.wanted {
			continue
		}
		fault := setting.Fault{Field: path + ".mechanism", Value: s.Mechanism}
		if s.Mechanism == "" {
			fault.Remedy = "is missing, nothing uses the " + part.name + " beside it; write " + part.remedy
		} else {
			fault.Remedy = "does not use the " + part.name + " beside it; remove what is not meant, or write " + part.remedy
		}
		faults = append(faults, fault)
	}
	return faults
}

func orOf(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
