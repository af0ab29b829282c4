// Light nouns as the plain structs of the core's table. The structs borrow from the noun and from the view itself.
#pragma once

#include <vector>

#include "capi/src/private.h"

namespace graft::capi {

class EngineOptionsView {
 public:
  explicit EngineOptionsView(const graft_engine_options& options);
  EngineOptionsView(const EngineOptionsView&) = delete;
  const facade::EngineOptions* get() const { return &plain_; }

 private:
  std::vector<facade::Text> policies_;
  std::vector<std::vector<facade::Text>> names_;
  std::vector<facade::RowParallel> row_parallel_;
  facade::EngineOptions plain_ = {};
};

class RequestOptionsView {
 public:
  explicit RequestOptionsView(const graft_request_options& options);
  RequestOptionsView(const RequestOptionsView&) = delete;
  const facade::RequestOptions* get() const { return &plain_; }

 private:
  std::vector<facade::Text> stop_;
  facade::RequestOptions plain_ = {};
};

class InputView {
 public:
  explicit InputView(const graft_input& input);
  InputView(const InputView&) = delete;
  const facade::Input* get() const { return &plain_; }

 private:
  std::vector<facade::NamedTensor> tensors_;
  facade::Input plain_ = {};
};

/// Takes over a tensor that the core handed out: owned data is kept by reference, borrowed data is copied.
graft_tensor* adopt_tensor(const facade::Tensor& from);

}  // namespace graft::capi
