#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "bench/report/compare.hpp"

namespace pilotfish::bench {
namespace {

/// Twice the rank of each value in the pool, the first `a.size()` being those of `a`: ties share
/// the mean of their ranks, which twice over is whole.
std::vector<std::size_t> doubled_ranks(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<std::pair<double, std::size_t>> pool;
  for (const double value : a) pool.emplace_back(value, pool.size());
  for (const double value : b) pool.emplace_back(value, pool.size());
  std::ranges::sort(pool);
  std::vector<std::size_t> ranks(pool.size());
  for (std::size_t from = 0; from < pool.size();) {
    std::size_t to = from + 1;
    while (to < pool.size() && pool[to].first == pool[from].first) ++to;
    for (std::size_t i = from; i < to; ++i) ranks[pool[i].second] = from + 1 + to;
    from = to;
  }
  return ranks;
}

}  // namespace

double rank_sum_chance(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.empty() || b.empty()) return 1;
  const auto ranks = doubled_ranks(a, b);
  std::size_t total = 0;
  std::size_t seen = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    total += ranks[i];
    if (i < a.size()) seen += ranks[i];
  }
  // ways[k][s]: how many choices of k of the ranks so far add up to s.
  std::vector<std::vector<double>> ways(a.size() + 1, std::vector<double>(total + 1));
  ways[0][0] = 1;
  for (const auto rank : ranks) {
    for (std::size_t k = a.size(); k > 0; --k) {
      for (std::size_t sum = total; sum + 1 > rank; --sum) {
        ways[k][sum] += ways[k - 1][sum - rank];
      }
    }
  }
  const double middle = static_cast<double>(total * a.size()) / static_cast<double>(ranks.size());
  const double far = std::abs(static_cast<double>(seen) - middle);
  double all = 0;
  double beyond = 0;
  for (std::size_t sum = 0; sum <= total; ++sum) {
    all += ways[a.size()][sum];
    constexpr double kRounding = 1e-6;
    if (std::abs(static_cast<double>(sum) - middle) >= far - kRounding) {
      beyond += ways[a.size()][sum];
    }
  }
  return beyond / all;
}

double least_chance(std::size_t a, std::size_t b) {
  double choices = 1;
  for (std::size_t i = 1; i <= a; ++i) {
    choices = choices * static_cast<double>(b + i) / static_cast<double>(i);
  }
  return std::min(1.0, 2 / choices);
}

}  // namespace pilotfish::bench
