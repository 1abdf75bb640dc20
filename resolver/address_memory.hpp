#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/ip_address.hpp"
#include "core/tier_answer.hpp"
#include "resolver/srv_instances.hpp"

namespace pilotfish::resolver {

enum class Family : std::uint8_t { kV4, kV6 };
inline constexpr std::size_t kFamilies = 2;
template <typename T>
using PerFamily = std::array<T, kFamilies>;

/// How one question for one family of a target ended.
struct FamilyAnswer {
  std::vector<IpAddress> addresses;
  Duration ttl = Duration::max();
  std::optional<LookupResult> fault;  ///< no answer; kTimeout and kMalformed: time ran out
  bool nxdomain = false;
  bool over_tcp = false;
};

/// What is known of host names between their lookups, per family. An answer is kept until the next
/// one of the same family; a family that failed says nothing. Pure. Thread-safety: none.
class AddressMemory {
 public:
  /// A family that was waited for in vain is not waited for again so long, whatever the target.
  static constexpr Duration kNotAgainFor = std::chrono::seconds(60);

  void clear() { targets_.clear(); }

 private:
  friend class AddressRound;
  struct Part {
    std::vector<IpAddress> addresses;
    bool silent = false;  ///< the last question had no answer in time: not waited for until it has
    bool asking = false;  ///< a question is in flight, perhaps one that nobody waits for
  };
  using Target = PerFamily<Part>;
  std::map<std::string, Target, std::less<>> targets_;
  PerFamily<TimePoint> not_waited_until_{};
};

/// What looking host names up gave.
struct AddressesFound {
  AddressBook addresses;              ///< of both families; what had no answer now: as known before
  std::vector<std::string> unknown;   ///< the server says they have none
  std::size_t nxdomain = 0;           ///< so many of those: the name does not exist
  std::vector<std::string> failed;    ///< nothing is known, and no answer could be had
  std::optional<LookupResult> fault;  ///< of the last family without an answer
  PerFamily<std::size_t> unanswered{};  ///< targets whose family gave no answer this time
  Duration ttl = Duration::max();       ///< the lowest of the addresses answered now
  bool over_tcp = false;                ///< TCP was needed
};

/// One lookup of some host names: what to ask, and when what came is enough. Both families of each
/// target are asked at once. Where one gave addresses, the other is waited for until patience()
/// alone, and not at all if it was silent the last time or any target's was within kNotAgainFor;
/// its answer still counts when it comes, for the next lookup. The same where A says that the name
/// does not exist. Where one gave nothing, the other is waited for to the end. (RFC 8305, 3 has a
/// like rule with a fixed 50 ms.) Pure. Thread-safety: none. May outlive its lookup: late answers
/// only reach the memory.
class AddressRound {
 public:
  /// Targets in lower case, each once. The memory forgets all others, and must outlive this.
  AddressRound(AddressMemory& memory, std::vector<std::string> targets, TimePoint now);

  struct Ask {
    std::size_t target;
    Family family;
  };
  /// The next question of that family, each once; families that were silent come last. Nothing
  /// once take() was called.
  [[nodiscard]] std::optional<Ask> next(Family family);
  [[nodiscard]] const std::string& name(const Ask& ask) const { return targets_[ask.target].name; }
  void ended(const Ask& ask, FamilyAnswer answer);

  /// From now on a family alone is enough.
  void patience_over();
  /// Whether something is still to be waited for.
  [[nodiscard]] bool open() const { return open_ != 0; }
  /// The end of it.
  [[nodiscard]] AddressesFound take(TimePoint now);

 private:
  struct Part {
    bool waited = true;  ///< until patience, where the other family has addresses
    bool ended = false;
    bool found = false;
    bool nxdomain = false;
    std::optional<LookupResult> fault;
  };
  struct Target {
    std::string name;
    PerFamily<Part> parts;
    bool settled = false;
  };
  [[nodiscard]] bool settled(const Target& target) const;
  void settle(Target& target);
  void plan(Family family);

  AddressMemory& memory_;
  TimePoint began_;
  std::vector<Target> targets_;
  PerFamily<std::vector<std::size_t>> order_;
  PerFamily<std::size_t> asked_{};
  std::size_t open_;
  Duration ttl_ = Duration::max();
  bool over_tcp_ = false;
  bool patient_ = true;
  bool taken_ = false;
};

}  // namespace pilotfish::resolver
