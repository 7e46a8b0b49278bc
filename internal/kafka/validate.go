package kafka

import (
	"net"
	"strconv"
	"strings"

	"streamer/internal/setting"
)

// Validate returns what is wrong with the values. path is where the connection stands in the configuration, `kafka` or
// `sink.kafka`; each fault's field starts with it. Files that are named are read.
func (c Config) Validate(path string) []setting.Fault {
	faults := validateBrokers(c.Brokers, path+".brokers")
	faults = append(faults, c.TLS.Validate(path+".tls")...)
	return append(faults, c.SASL.validate(path+".sasl")...)
}

// Warnings returns what is allowed but unsafe, in the form of [Config.Validate].
func (c Config) Warnings(path string) []setting.Fault {
	var warnings []setting.Fault
	if c.SASL.Mechanism != "" && !c.TLS.Enabled {
		warnings = append(warnings, setting.Fault{
			Field: path + ".sasl.mechanism", Value: c.SASL.Mechanism,
			Remedy: "runs without TLS, whoever is on the way can read or replay the login; set " + path + ".tls.enabled: true",
		})
	}
	if c.TLS.Enabled && c.TLS.InsecureSkipVerify {
		warnings = append(warnings, setting.Fault{
			Field: path + ".tls.insecure_skip_verify", Value: "true",
			Remedy: "accepts any broker's certificate, so TLS proves nothing; set " + path + ".tls.ca_file instead",
		})
	}
	return warnings
}

func validateBrokers(brokers []string, field string) []setting.Fault {
	if len(brokers) == 0 {
		return []setting.Fault{{Field: field, Remedy: "is missing; write [host:9092]"}}
	}
	var faults []setting.Fault
	for _, broker := range brokers {
		if !validBroker(broker) {
			faults = append(faults, setting.Fault{
				Field: field, Value: broker, Remedy: "is not host:port; write for example broker-1:9092",
			})
		}
	}
	return faults
}

func validBroker(broker string) bool {
	host, port, err := net.SplitHostPort(broker)
	if err != nil || host == "" || strings.ContainsAny(host, "/ \t") {
		return false
	}
	number, err := strconv.ParseUint(port, 10, 16)
	return err == nil && number > 0
}

// Validate lists what is wrong with the section at path. Files are read.
func (t TLSConfig) Validate(path string) []setting.Fault {
	if !t.Enabled {
		return t.validateDisabled(path)
	}
	var faults []setting.Fault
	if _, err := t.authorities(path); err != nil {
		faults = append(faults, asFault(err, path+".ca_file", t.CAFile))
	}
	if _, err := t.certificates(path); err != nil {
		faults = append(faults, asFault(err, path+".cert_file", t.CertFile))
	}
	return faults
}

// validateDisabled refuses TLS settings that would have no effect: whoever wrote them believes that the connection is
// encrypted.
func (t TLSConfig) validateDisabled(path string) []setting.Fault {
	var faults []setting.Fault
	set := map[string]string{
		"ca_file": t.CAFile, "cert_file": t.CertFile, "key_file": t.KeyFile, "server_name": t.ServerName,
	}
	if t.InsecureSkipVerify {
		set["insecure_skip_verify"] = "true"
	}
	for _, key := range []string{"ca_file", "cert_file", "key_file", "server_name", "insecure_skip_verify"} {
		if set[key] != "" {
			faults = append(faults, setting.Fault{
				Field: path + "." + key, Value: set[key],
				Remedy: "has no effect without TLS; set " + path + ".enabled: true, or remove it",
			})
		}
	}
	return faults
}
