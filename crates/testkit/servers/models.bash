# What models are trained and exported with, and the runtime that they are compared with, in a virtual environment.
# Sourced by `servers`.
# shellcheck shell=bash

readonly MODELS=$INSTALLED/models
readonly MODEL_PACKAGES=("lightgbm==4.7.0" "xgboost==3.2.0" "scikit-learn==1.9.1" "skl2onnx==1.20.0" "onnxmltools==1.16.0"
    "onnx==1.23.2" "onnxruntime==1.31.1" "cryptography==50.0.2")

install_models() {
    ! models_are_installed || return 0
    say "Fetching ${MODEL_PACKAGES[*]} by pip (two minutes, 400 MB)."
    rm -rf "$MODELS"
    # An environment knows its own path, so it is made where it stays, and named complete at the end.
    python3 -m venv "$MODELS"
    "$MODELS/bin/pip" install --quiet --disable-pip-version-check "${MODEL_PACKAGES[@]}" >"$INSTALLED/pip-models.log" 2>&1 ||
        fail "pip could not fetch it:" "$(tail -n 5 "$INSTALLED/pip-models.log")" "What is missing is usually the network. Then repeat."
    echo "${MODEL_PACKAGES[*]}" >"$MODELS/version"
}

# Other versions than the ones above count as none.
models_are_installed() { [[ $(cat "$MODELS/version" 2>/dev/null) == "${MODEL_PACKAGES[*]}" ]]; }
