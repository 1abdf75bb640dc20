#include "bench/harness/catalogue.hpp"

#include <algorithm>

namespace pilotfish::bench {

std::string canonical_name(std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  std::string result(name);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

namespace {

bool has_tag(const CatalogueInstance& instance, std::string_view canonical_tag) {
  return std::any_of(instance.tags.begin(), instance.tags.end(),
                     [&](const std::string& tag) { return canonical_name(tag) == canonical_tag; });
}

}  // namespace

CatalogueInstance* Catalogue::find(std::string_view service, const Endpoint& endpoint) {
  const auto it = services_.find(canonical_name(service));
  if (it == services_.end()) return nullptr;
  for (auto& instance : it->second) {
    if (instance.endpoint == endpoint) return &instance;
  }
  return nullptr;
}

void Catalogue::add(std::string_view service, CatalogueInstance instance) {
  ++version_;
  if (auto* known = find(service, instance.endpoint)) {
    *known = std::move(instance);
  } else {
    services_[canonical_name(service)].push_back(std::move(instance));
  }
}

bool Catalogue::remove(std::string_view service, const Endpoint& endpoint) {
  const auto it = services_.find(canonical_name(service));
  if (it == services_.end()) return false;
  const auto removed = std::erase_if(
      it->second, [&](const auto& instance) { return instance.endpoint == endpoint; });
  if (removed == 0) return false;
  if (it->second.empty()) services_.erase(it);
  ++version_;
  return true;
}

bool Catalogue::set_status(std::string_view service, const Endpoint& endpoint, CheckStatus status) {
  auto* instance = find(service, endpoint);
  if (instance == nullptr) return false;
  instance->status = status;
  ++version_;
  return true;
}

std::size_t Catalogue::set_status_of_tag(std::string_view service, std::string_view tag,
                                         CheckStatus status) {
  const auto it = services_.find(canonical_name(service));
  if (it == services_.end()) return 0;
  const auto wanted = canonical_name(tag);
  std::size_t count = 0;
  for (auto& instance : it->second) {
    if (!has_tag(instance, wanted)) continue;
    instance.status = status;
    ++count;
  }
  if (count != 0) ++version_;
  return count;
}

std::vector<CatalogueInstance> Catalogue::healthy(std::string_view service,
                                                  std::string_view tag) const {
  std::vector<CatalogueInstance> result;
  const auto it = services_.find(canonical_name(service));
  if (it == services_.end()) return result;
  const auto wanted = canonical_name(tag);
  for (const auto& instance : it->second) {
    if (instance.status == CheckStatus::kCritical) continue;
    if (!wanted.empty() && !has_tag(instance, wanted)) continue;
    result.push_back(instance);
  }
  return result;
}

std::vector<CatalogueInstance> Catalogue::all(std::string_view service) const {
  const auto it = services_.find(canonical_name(service));
  return it == services_.end() ? std::vector<CatalogueInstance>{} : it->second;
}

bool Catalogue::knows(std::string_view service) const {
  return services_.contains(canonical_name(service));
}

std::vector<std::string> Catalogue::services() const {
  std::vector<std::string> names;
  names.reserve(services_.size());
  for (const auto& entry : services_) names.push_back(entry.first);
  return names;
}

}  // namespace pilotfish::bench
