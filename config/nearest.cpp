#include "config/nearest.hpp"

#include <algorithm>
#include <cctype>

namespace pilotfish::config {

std::string key_form(std::string_view word) {
  std::string out(word);
  std::ranges::transform(out, out.begin(), [](unsigned char c) {
    return static_cast<char>(c == '-' ? '_' : std::tolower(c));
  });
  return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    cost[i][0] = i;
  }
  for (std::size_t j = 0; j <= b.size(); ++j) {
    cost[0][j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongest = 64;  // the table grows with the square
  const bool digits = word.find_first_not_of("0123456789") == std::string_view::npos;
  if (word.size() > kLongest || digits) {
    return {};
  }
  const std::size_t allowed = word.size() <= 3 ? 1 : std::max<std::size_t>(2, word.size() / 3);
  std::string best;
  std::size_t best_distance = allowed + 1;
  for (const auto& candidate : candidates) {
    // Letter case and dashes are no spelling mistakes.
    const auto a = key_form(word);
    const auto b = key_form(candidate);
    const bool begins = std::min(a.size(), b.size()) > 3 && (a.starts_with(b) || b.starts_with(a));
    const auto distance = std::min(edit_distance(a, b), begins ? std::size_t{1} : allowed + 1);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const auto found = nearest(word, candidates);
  return found.empty() ? "" : "; did you mean \"" + found + "\"?";
}

}  // namespace pilotfish::config
