#include "tests/unit/config/support.hpp"

namespace pilotfish::config::test {
namespace {

TEST(BadAnnouncement, RefusesBadEntries) {
  expect_reports({
      {top("register:"), "f.yaml:2:1: register: has no value; write one (map of services)\n"},
      {top("register: {}"),
       "f.yaml:2:11: register: is empty; write at least one of the services\n"},
      {top("register: []"),
       "f.yaml:2:11: register: must be a map of names to services, not a list\n"},
      {top("register: {a.b: {port: 1}}"),
       "f.yaml:2:12: register.a.b: the name \"a.b\" has a dot; over DNS Consul would read it as a "
       "tag and another service; add name:\n"},
      {top("register: {'a b': {port: 1}}"),
       "f.yaml:2:12: register: \"a b\" is no key for a service; use letters, digits, _ . -\n"},
      {top("register: {a: {port: 1}, b: {port: 1, name: a}}"),
       "f.yaml:2:26: register.b: has the name, address and port of register.a; the later one would "
       "replace it\n"},
      {top("admin: off\nregister: {a: {self: true}}"),
       "f.yaml:3:22: register.a.self: the sidecar announces its admin port, and admin is off; give "
       "admin an address\n"},
      {top("register: {a: {}}"),
       "f.yaml:2:12: register.a: \"port\" is missing; add port: 5000, or self: true for the "
       "sidecar\n"},
  });
}

TEST(BadAnnouncement, RefusesBadFields) {
  expect_reports({
      {announce("name: web"),
       "f.yaml:3:3: register.web: \"port\" is missing; add port: 5000, or self: true for the "
       "sidecar\n"},
      {announce("port: 0"),
       "f.yaml:4:11: register.web.port: \"0\" is out of range; write a number from 1 to 65535\n"},
      {announce("port: 65536"),
       "f.yaml:4:11: register.web.port: \"65536\" is out of range; write a number from 1 to "
       "65535\n"},
      {announce("port: http"),
       "f.yaml:4:11: register.web.port: \"http\" is not a whole number; write one from 1 to "
       "65535\n"},
      {announce("port: 5000\nprot: 1"),
       "f.yaml:5:5: unknown key \"prot\" in register.web; did you mean \"port\"?\n"},
      {announce("port: 5000\nname: a.b"),
       "f.yaml:5:11: register.web.name: \"a.b\" has a dot; over DNS Consul would read it as a tag "
       "and another service\n"},
      {announce("port: 5000\naddress: 127.0.0.1:80"),
       "f.yaml:5:14: register.web.address: \"127.0.0.1:80\" has a port in it; write the address "
       "alone, and the port under port:\n"},
      {announce("port: 5000\naddress: 'a b'"),
       "f.yaml:5:14: register.web.address: \"a b\" is neither an IP address nor a host name\n"},
      {announce("port: 5000\naddress: 10.0.0.300"),
       "f.yaml:5:14: register.web.address: \"10.0.0.300\" is neither an IP address nor a host "
       "name\n"},
      {announce("port: 5000\ntags: ['']"),
       "f.yaml:5:12: register.web.tags: is empty; write a value (tag) or remove the key\n"},
      {announce("port: 5000\ntags: [a, a]"),
       "f.yaml:5:15: register.web.tags: tag \"a\" is given twice; keep one\n"},
      {announce("port: 5000\ntags: {a: b}"),
       "f.yaml:5:11: register.web.tags: must be a list, like [a, b], not a map\n"},
      {announce("port: 5000\nmeta: [a]"),
       "f.yaml:5:11: register.web.meta: must be a map of texts, like {version: \"3.2\"}, not a "
       "list\n"},
      {announce("port: 5000\nmeta: {'a b': c}"),
       "f.yaml:5:12: register.web.meta: \"a b\" is no key for Consul's meta; use letters, digits, "
       "_ and -, 128 at most\n"},
      {announce("port: 5000\nmeta: {a: [b]}"),
       "f.yaml:5:15: register.web.meta.a: must be a text, not a list\n"},
      {announce("port: 5000\nmeta: {a: }"),
       "f.yaml:5:15: register.web.meta.a: must be a text, not no value\n"},
      {announce("port: 5000\nweights: {passing: 0}"),
       "f.yaml:5:24: register.web.weights.passing: \"0\" is out of range; write a number from 1 to "
       "65535\n"},
      {announce("port: 5000\nweights: {warning: 65536}"),
       "f.yaml:5:24: register.web.weights.warning: \"65536\" is out of range; write a number from "
       "0 to 65535\n"},
      {announce("port: 5000\nweights: 5"),
       "f.yaml:5:14: register.web.weights: must be a map of keys, like {passing: ...}, not "
       "\"5\"\n"},
  });
}

TEST(BadAnnouncement, RefusesBadChecks) {
  expect_reports({
      {announce("port: 5000\ncheck: {}"),
       "f.yaml:5:5: register.web.check: http, tcp or ttl is missing; add what is checked, like "
       "tcp: 127.0.0.1:5000\n"},
      {announce("port: 5000\ncheck: {interval: 5s}"),
       "f.yaml:5:5: register.web.check: http, tcp or ttl is missing; add what is checked, like "
       "tcp: 127.0.0.1:5000\n"},
      {announce("port: 5000\ncheck: {http: http://a/, tcp: a:1}"),
       "f.yaml:5:30: register.web.check: only one of http, tcp and ttl may be given; keep one\n"},
      {announce("port: 5000\ncheck: {http: a}"),
       "f.yaml:5:19: register.web.check.http: \"a\" is not a URL to check; write "
       "http://HOST:PORT/PATH\n"},
      {announce("port: 5000\ncheck: {http: 'http://'}"),
       "f.yaml:5:19: register.web.check.http: \"http://\" has no good host and port; write "
       "http://HOST:PORT/PATH\n"},
      {announce("port: 5000\ncheck: {http: 'http://a/b c'}"),
       "f.yaml:5:19: register.web.check.http: \"http://a/b c\" has a character that no URL may "
       "have; percent-encode it\n"},
      {announce("port: 5000\ncheck: {tcp: a}"),
       "f.yaml:5:18: register.web.check.tcp: \"a\" is no address to check; write HOST:PORT, like "
       "127.0.0.1:5000\n"},
      {announce("port: 5000\ncheck: {tcp: 5000}"),
       "f.yaml:5:18: register.web.check.tcp: \"5000\" is no address to check; write HOST:PORT, "
       "like 127.0.0.1:5000\n"},
      {announce("port: 5000\ncheck: {ttl: 0}"),
       "f.yaml:5:18: register.web.check.ttl: \"0\" must be above 0\n"},
      {announce("port: 5000\ncheck: {ttl: 10s, interval: 5s}"),
       "f.yaml:5:23: register.web.check: \"interval\" works only with http: or tcp:; a ttl is kept "
       "alive at a third of its time\n"},
      {announce("port: 5000\ncheck: {tcp: a:1, interval: 0}"),
       "f.yaml:5:33: register.web.check.interval: \"0\" must be above 0\n"},
      {announce("port: 5000\ncheck: {tcp: a:1, timeout: 5}"),
       "f.yaml:5:32: register.web.check.timeout: \"5\" needs a unit; write 5ms, 5s, 5m or 5h\n"},
      {announce("port: 5000\ncheck: {htpp: http://a/}"),
       "f.yaml:5:13: unknown key \"htpp\" in register.web.check; did you mean \"http\"?\n"},
      {announce("port: 5000\ncheck: http://a/"),
       "f.yaml:5:12: register.web.check: must be a map of keys, like {http: ...}, not "
       "\"http://a/\"\n"},
  });
}

TEST(BadAnnouncement, RefusesKeysOfTheOtherRegistry) {
  expect_reports({
      {announce("self: true\nport: 5000"),
       "f.yaml:5:5: register.web: \"port\" cannot stand beside self: true, which means the admin "
       "port and its /ready; remove it\n"},
      {announce("self: true\ncheck: {ttl: 5s}"),
       "f.yaml:5:5: register.web: \"check\" cannot stand beside self: true, which means the admin "
       "port and its /ready; remove it\n"},
      {announce("self: maybe"),
       "f.yaml:4:11: register.web.self: \"maybe\" is not a truth value; write true or false\n"},
      {announce("port: 5000\nin: zookeeper"),
       "f.yaml:5:9: register.web.in: \"zookeeper\" is none of consul, etcd\n"},
      {announce("port: 5000\nsrv: a.b"),
       "f.yaml:5:5: register.web: \"srv\" works only with in: etcd; remove it or add in: etcd\n"},
      {announce("port: 5000\nlease: 30s\nttl: 5s"),
       "f.yaml:5:5: register.web: \"lease\" works only with in: etcd; remove it or add in: etcd\n"
       "f.yaml:6:5: register.web: \"ttl\" works only with in: etcd; remove it or add in: etcd\n"},
      {announce("in: etcd\nport: 5000"),
       "f.yaml:3:3: register.web: \"srv\" is missing, which in: etcd needs; add srv: "
       "_web._tcp.prom.local\n"},
      {announce("in: etcd\nsrv: a.b"),
       "f.yaml:3:3: register.web: \"port\" is missing; add port: 5000, or self: true for the "
       "sidecar\n"},
      {announce("in: etcd\nport: 5000\nsrv: a.b\ntags: [a]"),
       "f.yaml:7:5: register.web: \"tags\" works only in Consul; remove it or in: etcd\n"},
      {announce("in: etcd\nport: 5000\nsrv: a.b\nlease: 0s"),
       "f.yaml:7:12: register.web.lease: \"0s\" is too short; 1s is the least\n"},
      {announce("in: etcd\nport: 5000\nsrv: a.b\nlease: 5500ms"),
       "f.yaml:7:12: register.web.lease: \"5500ms\" must be whole seconds, like 30s\n"},
      {announce("in: etcd\nport: 5000\nsrv: a.b\ncheck: {ttl: 5s}"),
       "f.yaml:7:18: register.web.check: \"ttl\" works only in Consul; the lease does this in "
       "etcd, remove check\n"},
      {announce("in: etcd\nport: 5000\nsrv: a.b\ncheck: {http: https://a/}"),
       "f.yaml:7:19: register.web.check: \"https://a/\" needs TLS, and TLS is not supported yet; "
       "write http://HOST:PORT/PATH\n"},
      {announce("in: etcd\nport: 5000\nsrv: a.b\ncheck: {tcp: a:1, deregister_after: 1m}"),
       "f.yaml:7:41: register.web.check: \"deregister_after\" works only in Consul; in etcd a "
       "failed check withdraws at once\n"},
      {announce("in: etcd\nport: 5000\nsrv: a.b\npriority: 65536"),
       "f.yaml:7:15: register.web.priority: \"65536\" is out of range; write a number from 0 to "
       "65535\n"},
      {announce("in: etcd\nport: 5000\nsrv: a..b"),
       "f.yaml:6:10: register.web.srv: \"a..b\" has an empty part between dots\n"},
      {announce("in: etcd\nport: 5000\nsrv: a.b\nname: "
                "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"),
       "f.yaml:7:11: register.web: name and address are too long for one DNS label (63); shorten "
       "\"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\"\n"},
  });
}

}  // namespace
}  // namespace pilotfish::config::test
