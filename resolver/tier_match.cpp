#include "resolver/tier_match.hpp"

#include <algorithm>

#include "resolver/watch.hpp"

namespace pilotfish::resolver {

bool fits(const ConsulTier& tier, const std::vector<std::string>& tags,
          const std::vector<std::pair<std::string, std::string>>& meta) {
  const auto unwanted = [&tags](const std::string& tag) { return has_all(tags, {tag}); };
  const auto said = [&meta](const auto& want) {
    return std::ranges::find(meta, std::pair(want.first, want.second)) != meta.end();
  };
  return has_all(tags, tier.tags) && std::ranges::none_of(tier.without, unwanted) &&
         std::ranges::all_of(tier.meta, said);
}

}  // namespace pilotfish::resolver
