#pragma once

namespace pilotfish::micro {

// One call registers one file's benchmarks with Google Benchmark. Names are `what/variant/size`,
// and stay: docs/performance.md and `./dev bench --check` know them.

void register_picks();     ///< one choice, per algorithm, size and weights
void register_outcomes();  ///< the rest of what a request costs the balancer: start, end, ejection
void register_answers();   ///< what a registry's answer costs the balancer, changed or not
void register_pauses();    ///< how long a worker pauses for a large answer
void register_lookups();   ///< SRV answers, from bytes to instances
void register_heads();     ///< request and response heads: parse, rewrite
void register_instruments();  ///< counters and histograms, ours and the harness's

}  // namespace pilotfish::micro
