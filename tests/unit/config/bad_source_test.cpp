#include "tests/unit/config/support.hpp"

namespace pilotfish::config::test {
namespace {

TEST(BadSource, RefusesBadHosts) {
  expect_reports({
      {entry("listen: 127.0.0.1:7001\nhosts: app.internal"),
       "f.yaml:4:12: upstreams.billing.hosts: \"app.internal\" has no port; write NAME:PORT, like "
       "app.internal:8080\n"},
      {entry("listen: 127.0.0.1:7001\nhosts: 'app.internal:'"),
       "f.yaml:4:12: upstreams.billing.hosts: \"app.internal:\" has a bad port; write a port from "
       "1 "
       "to 65535\n"},
      {entry("listen: 127.0.0.1:7001\nhosts: app.internal:0"),
       "f.yaml:4:12: upstreams.billing.hosts: \"app.internal:0\" has a bad port; write a port from "
       "1 to 65535\n"},
      {entry("listen: 127.0.0.1:7001\nhosts: 10.0.0.1:80"),
       "f.yaml:4:12: upstreams.billing.hosts: \"10.0.0.1:80\" is an address, and hosts: looks "
       "names "
       "up; write it under static: instead\n"},
      {entry("listen: 127.0.0.1:7001\nhosts: '[fd00::1]:80'"),
       "f.yaml:4:12: upstreams.billing.hosts: \"[fd00::1]:80\" is an address, and hosts: looks "
       "names "
       "up; write it under static: instead\n"},
      {entry("listen: 127.0.0.1:7001\nhosts: 'fd00::1'"),
       "f.yaml:4:12: upstreams.billing.hosts: \"fd00::1\" is an address, and hosts: looks names "
       "up; "
       "write it under static: instead\n"},
      {entry("listen: 127.0.0.1:7001\nhosts: 'a b:80'"),
       "f.yaml:4:12: upstreams.billing.hosts: \"a b:80\" cannot be asked over DNS because of a "
       "space\n"},
      {entry("listen: 127.0.0.1:7001\nhosts: [a.b:80, A.b:80]"),
       "f.yaml:4:21: upstreams.billing.hosts: this name is given twice; keep one\n"},
      {entry("listen: 127.0.0.1:7001\nhosts: a.b:80\nfresh: watch"),
       "f.yaml:5:12: upstreams.billing: \"watch\" works only with consul:; write connection or "
       "ttl\n"},
      {entry("listen: 127.0.0.1:7001\nhosts: a.b:80\nprefer: [v4]"),
       "f.yaml:5:5: upstreams.billing: \"prefer\" works only with consul:; list several names "
       "under "
       "hosts: instead\n"},
      {entry("listen: 127.0.0.1:7001\nhosts: a.b:80\nsrv: a.b"),
       "f.yaml:5:5: upstreams.billing: only one of consul, srv, hosts and static may be given; "
       "keep "
       "one\n"},
  });
}

TEST(BadSource, RefusesBadListenAddresses) {
  expect_reports({
      {entry("listen: 127.0.0.1:7001"),
       "f.yaml:2:3: upstreams.billing: consul, srv, hosts or static is missing; add consul: "
       "SERVICE\n"},
      {entry("consul: billing"),
       "f.yaml:2:3: upstreams.billing: \"listen\" is missing; add listen: 127.0.0.1:7001\n"},
      {entry("lisen: 127.0.0.1:7001\nconsul: billing"),
       "f.yaml:3:5: unknown key \"lisen\" in upstreams.billing; did you mean \"listen\"?\n"},
      {entry("listen: 7001\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"7001\" is not an address; write IP:PORT, like "
       "127.0.0.1:7001 or [::1]:7001\n"},
      {entry("listen: :7001\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \":7001\" has no address; write 127.0.0.1:7001\n"},
      {entry("listen: '*:7001'\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"*:7001\" has no address; write 127.0.0.1:7001\n"},
      {entry("listen: localhost:7001\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"localhost:7001\" has no IP address; names are not "
       "looked up here, write one like 127.0.0.1:7001\n"},
      {entry("listen: 127.0.0.1\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"127.0.0.1\" has no port; write 127.0.0.1:PORT\n"},
      {entry("listen: ::1:7001\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"::1:7001\" needs brackets and a port; write "
       "[::1:7001]:PORT\n"},
      {entry("listen: '::1'\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"::1\" needs brackets and a port; write "
       "[::1]:PORT\n"},
      {entry("listen: 127.0.0.1:65536\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"127.0.0.1:65536\" has a bad port; write a port "
       "from 0 to 65535\n"},
      {entry("listen: '127.0.0.1:'\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"127.0.0.1:\" has a bad port; write a port from 0 "
       "to 65535\n"},
      {entry("listen: 'fd:'\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"fd:\" has a bad socket name; write fd:NAME as in "
       "FileDescriptorName= of the unit\n"},
      {entry("listen: fd:a:b\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"fd:a:b\" has a bad socket name; write fd:NAME as "
       "in FileDescriptorName= of the unit\n"},
      {entry("listen: 10.0.0.256:80\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"10.0.0.256:80\" has no IP address; names are not "
       "looked up here, write one like 127.0.0.1:80\n"},
      {entry("listen: [127.0.0.1:7001]\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: must be one value (address IP:PORT, or fd:NAME), "
       "not a list\n"},
      {file("upstreams:\n  a: {listen: 127.0.0.1:7001, consul: a}\n  b: {listen: 127.0.0.1:7001, "
            "consul: b}\n"),
       "f.yaml:3:15: upstreams.b.listen: \"127.0.0.1:7001\" is taken by upstreams.a; give each an "
       "address of its own\n"},
      {file("upstreams:\n  a: {listen: fd:x, consul: a}\n  b: {listen: fd:x, consul: b}\n"),
       "f.yaml:3:15: upstreams.b.listen: \"fd:x\" is taken by upstreams.a; give each an address of "
       "its own\n"},
      {file("upstreams:\n  a: {listen: 0.0.0.0:7001, consul: a}\n  b: {listen: 127.0.0.1:7001, "
            "consul: b}\n"),
       "f.yaml:3:15: upstreams.b.listen: \"127.0.0.1:7001\" is taken by upstreams.a "
       "(0.0.0.0:7001); give each an address of its own\n"},
  });
}

TEST(BadSource, RefusesBadConsulServices) {
  expect_reports({
      {entry("lisen: 127.0.0.1:7001\nconsul: billing"),
       "f.yaml:3:5: unknown key \"lisen\" in upstreams.billing; did you mean \"listen\"?\n"},
      {entry("listen: 127.0.0.1:7001\nconsl: billing"),
       "f.yaml:4:5: unknown key \"consl\" in upstreams.billing; did you mean \"consul\"?\n"},
      {entry("listen: 7001\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"7001\" is not an address; write IP:PORT, like "
       "127.0.0.1:7001 or [::1]:7001\n"},
      {entry("listen: :7001\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \":7001\" has no address; write 127.0.0.1:7001\n"},
      {entry("listen: localhost:7001\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"localhost:7001\" has no IP address; names are not "
       "looked up here, write one like 127.0.0.1:7001\n"},
      {entry("listen: ::1:7001\nconsul: b"),
       "f.yaml:3:13: upstreams.billing.listen: \"::1:7001\" needs brackets and a port; write "
       "[::1:7001]:PORT\n"},
      {entry("listen: 127.0.0.1:7001\nconsul: bill.ing"),
       "f.yaml:4:13: upstreams.billing.consul: \"bill.ing\" has a dot; over DNS Consul would read "
       "it as a tag and another service\n"},
      {entry("listen: 127.0.0.1:7001\nconsul: 'bill ing'"),
       "f.yaml:4:13: upstreams.billing.consul: \"bill ing\" cannot be asked over DNS because of a "
       "space\n"},
      {entry("listen: 127.0.0.1:7001\nconsul: ''"),
       "f.yaml:4:13: upstreams.billing.consul: is empty; write a value (service name) or remove "
       "the key\n"},
      {entry("listen: 127.0.0.1:7001\nconsul:"),
       "f.yaml:4:5: upstreams.billing.consul: has no value; write one (service name, or map)\n"},
      {entry("listen: 127.0.0.1:7001\nconsul: [a]"),
       "f.yaml:4:13: upstreams.billing.consul: must be one value (service name), not a list\n"},
      {entry("listen: 127.0.0.1:7001\nconsul: {datacenter: dc2}"),
       "f.yaml:4:5: upstreams.billing.consul: \"service\" is missing; add service: billing\n"},
      {entry("listen: 127.0.0.1:7001\nconsul: {service: a, datacentre: dc2}"),
       "f.yaml:4:26: unknown key \"datacentre\" in upstreams.billing.consul; did you mean "
       "\"datacenter\"?\n"},
      {entry("listen: 127.0.0.1:7001\nconsul: {service: a, datacenter: d.c}"),
       "f.yaml:4:38: upstreams.billing.consul.datacenter: \"d.c\" has a dot; over DNS Consul would "
       "read it as a tag and another service\n"},
      {entry("listen: 127.0.0.1:7001\nconsul: "
             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
       "f.yaml:4:13: upstreams.billing.consul: "
       "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" has a part longer "
       "than a DNS label can be (63)\n"},
      {entry("listen: 127.0.0.1:7001\nconsul: b\nprefer: "
             "[yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy."
             "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy."
             "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy."
             "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy]"),
       "f.yaml:5:13: upstreams.billing.prefer: tag "
       "\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy.yyyyyyyyyyyyyyyyyyy...\" "
       "makes a DNS name longer than 253; use a shorter one\n"},
  });
}

TEST(BadSource, RefusesBadSrvNames) {
  expect_reports({
      {entry("listen: 127.0.0.1:7001\nsrv: 10.0.0.1"),
       "f.yaml:4:10: upstreams.billing.srv: \"10.0.0.1\" is an address, not a name to look up; "
       "addresses go under static:\n"},
      {entry("listen: 127.0.0.1:7001\nsrv: 10.0.0.1:53"),
       "f.yaml:4:10: upstreams.billing.srv: \"10.0.0.1:53\" is an address, not a name to look up; "
       "addresses go under static:\n"},
      {entry("listen: 127.0.0.1:7001\nsrv: []"),
       "f.yaml:4:10: upstreams.billing.srv: is an empty list; write at least one, or remove the "
       "key\n"},
      {entry("listen: 127.0.0.1:7001\nsrv: [a.b, A.b.]"),
       "f.yaml:4:16: upstreams.billing.srv: this name is given twice; keep one\n"},
      {entry("listen: 127.0.0.1:7001\nsrv: a.b\nprefer: [v4]"),
       "f.yaml:5:5: upstreams.billing: \"prefer\" works only with consul:; list several names "
       "under srv: instead\n"},
      {entry("listen: 127.0.0.1:7001\nsrv: a.b\nfresh: watch"),
       "f.yaml:5:12: upstreams.billing: \"watch\" works only with consul:; write connection or "
       "ttl\n"},
      {entry("listen: 127.0.0.1:7001\nsrv: a b"),
       "f.yaml:4:10: upstreams.billing.srv: \"a b\" cannot be asked over DNS because of a space\n"},
      {entry("listen: 127.0.0.1:7001\nsrv: "
             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx."
             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx."
             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx."
             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx."
             "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
       "f.yaml:4:10: upstreams.billing.srv: "
       "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxx...\" is "
       "longer than a DNS name can be (253)\n"},
  });
}

TEST(BadSource, RefusesBadStaticInstances) {
  expect_reports({
      {entry("listen: 127.0.0.1:7001\nstatic: []"),
       "f.yaml:4:13: upstreams.billing.static: is an empty list; write at least one, or remove the "
       "key\n"},
      {entry("listen: 127.0.0.1:7001\nstatic: [10.0.0.1]"),
       "f.yaml:4:14: upstreams.billing.static: \"10.0.0.1\" has no port; write 10.0.0.1:PORT\n"},
      {entry("listen: 127.0.0.1:7001\nstatic: [web:80]"),
       "f.yaml:4:14: upstreams.billing.static: \"web:80\" has no IP address; names are not looked "
       "up here, write one like 127.0.0.1:80\n"},
      {entry("listen: 127.0.0.1:7001\nstatic: [10.0.0.1:0]"),
       "f.yaml:4:14: upstreams.billing.static: \"10.0.0.1:0\" has port 0; write a port from 1 to "
       "65535\n"},
      {entry("listen: 127.0.0.1:7001\nstatic: [10.0.0.1:80, 10.0.0.1:80]"),
       "f.yaml:4:27: upstreams.billing.static: this address is given twice; keep one\n"},
      {entry("listen: 127.0.0.1:7001\nstatic: [{weight: 1}]"),
       "f.yaml:4:14: upstreams.billing.static: \"address\" is missing; add address: 10.0.0.1:80\n"},
      {entry("listen: 127.0.0.1:7001\nstatic: [{address: 10.0.0.1:80, weight: 65536}]"),
       "f.yaml:4:45: upstreams.billing.static.weight: \"65536\" is out of range; write a number "
       "from 0 to 65535\n"},
      {entry("listen: 127.0.0.1:7001\nstatic: [{address: 10.0.0.1:80, priority: -1}]"),
       "f.yaml:4:47: upstreams.billing.static.priority: \"-1\" is not a whole number; write one "
       "from 0 to 65535\n"},
      {entry("listen: 127.0.0.1:7001\nstatic: [{address: 10.0.0.1:80, wieght: 1}]"),
       "f.yaml:4:37: unknown key \"wieght\" in upstreams.billing.static; did you mean "
       "\"weight\"?\n"},
      {entry("listen: 127.0.0.1:7001\nstatic: {a: b}"),
       "f.yaml:4:13: upstreams.billing.static: must be a list, like [a, b], not a map\n"},
      {entry("listen: 127.0.0.1:7001\nstatic: [10.0.0.1:80]\nprefer: any"),
       "f.yaml:5:5: upstreams.billing: \"prefer\" works only with consul:; use priority in static: "
       "instead\n"},
  });
}

TEST(BadSource, RefusesBadTiers) {
  expect_reports({
      {upstream("prefer: []"),
       "f.yaml:5:13: upstreams.billing.prefer: is an empty list; write at least one, or remove the "
       "key\n"},
      {upstream("prefer: [[]]"),
       "f.yaml:5:14: upstreams.billing.prefer: a tier without tags; write any for all instances\n"},
      {upstream("prefer: [[v3, any]]"),
       "f.yaml:5:19: upstreams.billing.prefer: \"any\" cannot stand among tags; it is a tier of "
       "its own\n"},
      {upstream("prefer: [v4, v4]"),
       "f.yaml:5:18: upstreams.billing.prefer: this tier is given twice; keep one\n"},
      {upstream("prefer: [[a, b], [b, a]]"),
       "f.yaml:5:22: upstreams.billing.prefer: this tier is given twice; keep one\n"},
      {upstream("prefer: [[a, a]]"),
       "f.yaml:5:18: upstreams.billing.prefer: tag \"a\" is given twice in one tier\n"},
      {upstream("prefer: ['']"),
       "f.yaml:5:14: upstreams.billing.prefer: is empty; write a value (tag) or remove the key\n"},
      {upstream("prefer: ['v 4']"),
       "f.yaml:5:14: upstreams.billing.prefer: \"v 4\" cannot be asked over DNS because of a "
       "space\n"},
      {upstream("prefer: [v4;x]"),
       "f.yaml:5:14: upstreams.billing.prefer: \"v4;x\" cannot be asked over DNS because of ';'\n"},
      {upstream("prefer: [v\xC3\xA9"
                "]"),
       "f.yaml:5:14: upstreams.billing.prefer: \"v\xC3\xA9"
       "\" cannot be asked over DNS; use plain ASCII\n"},
      {upstream("prefer: [a..b]"),
       "f.yaml:5:14: upstreams.billing.prefer: \"a..b\" has an empty part between dots\n"},
      {upstream("prefer: [{a: b}]"),
       "f.yaml:5:15: unknown key \"a\" in upstreams.billing.prefer; known here: tags, datacenter, "
       "not, meta\n"},
      {upstream("prefer: {a: b}"),
       "f.yaml:5:14: unknown key \"a\" in upstreams.billing.prefer; known here: tags, datacenter, "
       "not, meta\n"},
      {upstream("prefer: [~]"),
       "f.yaml:5:14: upstreams.billing.prefer: a tier must be a tag, a list of tags, any or a map, "
       "not no value\n"},
      {upstream("prefer: [xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]"),
       "f.yaml:5:14: upstreams.billing.prefer: "
       "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" has a part longer "
       "than a DNS label can be (63)\n"},
  });
}

}  // namespace
}  // namespace pilotfish::config::test
