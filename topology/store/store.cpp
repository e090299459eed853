#include "topology/store/store.hpp"

#include <unordered_set>

namespace viaduct::topology::store {
namespace {

Error invalid(std::string text) { return {ErrorCode::invalid, std::move(text)}; }

std::optional<Error> validate_key(std::string_view key) {
  if (key.empty()) return invalid("a key is empty");
  if (key.size() > kMaxKeyBytes) return invalid("a key has more than " + std::to_string(kMaxKeyBytes) + " bytes");
  return std::nullopt;
}

}  // namespace

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::compacted:
      return "compacted";
    case ErrorCode::future_revision:
      return "future_revision";
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::lease_not_found:
      return "lease_not_found";
    case ErrorCode::too_many_leases:
      return "too_many_leases";
    case ErrorCode::locked:
      return "locked";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::io:
      return "io";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::denied:
      return "denied";
  }
  return "unknown";
}

std::optional<Error> validate(const Transaction& transaction) {
  const size_t writes = transaction.puts.size() + transaction.deletes.size();
  if (transaction.compares.size() > kMaxTransactionOps || writes > kMaxTransactionOps) {
    return invalid("a transaction has more than " + std::to_string(kMaxTransactionOps) + " operations");
  }
  size_t bytes = 0;
  std::unordered_set<std::string_view> written;
  const auto write = [&](std::string_view key) -> std::optional<Error> {
    bytes += key.size();
    if (!written.insert(key).second) return invalid("a transaction writes '" + std::string(key) + "' twice");
    return validate_key(key);
  };
  for (const Compare& compare : transaction.compares) {
    bytes += compare.key.size();
    if (auto error = validate_key(compare.key)) return error;
  }
  for (const Put& put : transaction.puts) {
    bytes += put.value.size();
    if (auto error = write(put.key)) return error;
    if (put.value.size() > kMaxValueBytes) return invalid("the value of '" + put.key + "' is too big");
  }
  for (const std::string& key : transaction.deletes) {
    if (auto error = write(key)) return error;
  }
  if (bytes > kMaxTransactionBytes) {
    return invalid("a transaction has more than " + std::to_string(kMaxTransactionBytes) + " bytes");
  }
  return std::nullopt;
}

std::optional<Error> validate(const RangeRequest& request) {
  if (request.limit == 0 || request.limit > kMaxRangeEntries) {
    return invalid("a range's limit must be 1 to " + std::to_string(kMaxRangeEntries));
  }
  if (request.prefix.size() > kMaxKeyBytes || request.after.size() > kMaxKeyBytes) {
    return invalid("a range's key is too long");
  }
  if (!request.after.empty() && !request.after.starts_with(request.prefix)) {
    return invalid("a range continues behind a key outside of its prefix");
  }
  return std::nullopt;
}

}  // namespace viaduct::topology::store
