// The LibTorch wheel has ProcessGroupGloo.hpp but not the headers it includes. Written for LibTorch 2.11: look again at
// every upgrade. ProcessGroupGloo.hpp derives a class from Store; nothing of ours makes one, so that no table of
// functions is emitted.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>
#define GLOO_STORE_HAS_STORE_V2 1
namespace gloo::rendezvous {
class Store {
  using Bytes = std::vector<char>;
  using Keys = std::vector<std::string>;

 public:
  virtual ~Store();
  virtual void set(const std::string& key, const Bytes& value) = 0;
  virtual Bytes get(const std::string& key) = 0;
  virtual void wait(const Keys& keys) = 0;
  virtual void wait(const Keys& keys, const std::chrono::milliseconds& timeout);
  virtual bool has_v2_support();
  virtual std::vector<Bytes> multi_get(const Keys& keys);
  virtual void multi_set(const Keys& keys, const std::vector<Bytes>& values);
  virtual void append(const std::string& key, const Bytes& value);
  virtual int64_t add(const std::string& key, int64_t value);
};
}  // namespace gloo::rendezvous
