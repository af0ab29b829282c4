// The LibTorch wheel has ProcessGroupGloo.hpp but not the headers it includes. Written for LibTorch 2.11: look again at
// every upgrade.
#pragma once
