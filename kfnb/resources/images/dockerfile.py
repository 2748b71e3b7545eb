"""The Dockerfile, by the conventions of Kubeflow's own notebook images."""

from __future__ import annotations

from kfnb.resources.images.recipe import Recipe

MARK = "# A notebook image for Kubeflow with kfnb in it, written by kfnb image."
"""The first line, by which a Dockerfile that kfnb wrote is recognized."""

_S6 = "3.2.3.0"
_VENV = "/opt/kfnb"

_CONVENTIONS = f"""\
# Kubeflow's conventions: the user jovyan (1000) of group 0, so that a cluster may give it another id; its home is a
# volume, which hides what an image has there: what is in HOME_TMP is copied into it at each start. Kubernetes sets
# NB_PREFIX to the path that the server is asked below.
ENV NB_USER=jovyan \\
    NB_UID=1000 \\
    NB_GID=0 \\
    NB_PREFIX=/ \\
    HOME=/home/jovyan \\
    HOME_TMP=/tmp_home/jovyan \\
    SHELL=/bin/bash \\
    LANG=C.UTF-8 \\
    PATH={_VENV}/bin:$PATH \\
    S6_CMD_WAIT_FOR_SERVICES_MAXTIME=300000 \\
    S6_BEHAVIOUR_IF_STAGE2_FAILS=2

SHELL ["/bin/bash", "-o", "pipefail", "-c"]

RUN apt-get update \\
 && apt-get install --yes --no-install-recommends bash ca-certificates curl git xz-utils \\
 && rm -rf /var/lib/apt/lists/*

# s6-overlay starts what is in /etc/cont-init.d, then the services in /etc/services.d, and starts them again if they end
ARG S6_VERSION={_S6}
ARG S6_RELEASES=https://github.com/just-containers/s6-overlay/releases/download
RUN for part in noarch "$(uname -m)"; do \\
      file="s6-overlay-$part.tar.xz" \\
      && curl -fsSL "$S6_RELEASES/v$S6_VERSION/$file" -o "/tmp/$file" \\
      && curl -fsSL "$S6_RELEASES/v$S6_VERSION/$file.sha256" -o "/tmp/$file.sha256" \\
      && echo "$(cut -d ' ' -f 1 "/tmp/$file.sha256")  /tmp/$file" | sha256sum -c - \\
      && tar -C / -Jxpf "/tmp/$file" \\
      && rm "/tmp/$file" "/tmp/$file.sha256" \\
      || exit 1; \\
    done \\
 && chmod 0775 /run

RUN useradd --no-create-home --no-user-group --shell /bin/bash --home-dir "$HOME" --uid "$NB_UID" --gid "$NB_GID" \\
      --groups users "$NB_USER" \\
 && mkdir -p "$HOME" "$HOME_TMP" {_VENV} \\
 && chmod 2775 "$HOME" "$HOME_TMP" \\
 && cp -r /etc/skel/. "$HOME_TMP" \\
 && chown -R "$NB_USER:users" "$HOME" "$HOME_TMP" \\
 && chown "$NB_USER:$NB_GID" {_VENV} \\
 && chmod 2775 {_VENV}

COPY --chown=1000:0 s6/ /etc/
"""

_SERVES = """
EXPOSE 8888

ENTRYPOINT ["/init"]
"""

_INSTALL = """\
# a package index of your own, for the build alone: docker build --build-arg PIP_INDEX_URL=...
ARG PIP_INDEX_URL

# kfnb, and KFP in the version that the steps of your pipelines look for: they install nothing in this image
COPY --chown=1000:0 packages/ /tmp/packages/
WORKDIR /tmp/packages
RUN python3 -m pip install --no-cache-dir {files} \\
 && python3 -c "import kfnb, kfp.kubernetes" \\
 && jupyter lab --version

# kernels load the magics by themselves
ENV KFNB_AUTOLOAD=1
{steps}
WORKDIR /home/jovyan
"""

_STEPS = """
# steps run in this image, so that what they import is there
ENV KFNB_BASE_IMAGE={name}
"""


def dockerfile(recipe: Recipe) -> str:
    """The Dockerfile of a recipe; what it copies is beside it."""
    files = "-r requirements.txt" + (" -r more.txt" if recipe.requirements else "")
    install = _INSTALL.format(files=files, steps=_STEPS.format(name=recipe.name) if recipe.name else "")
    name = recipe.name or "NAME:TAG"
    head = f"{MARK}\n# docker build --tag {name} .\n\n"
    if recipe.base:
        return f"{head}FROM {recipe.base}\n\nUSER 1000\n\n{install}"
    venv = f"USER 1000\n\nRUN python3 -m venv {_VENV}\n\n"
    return f"{head}FROM python:{recipe.python}-slim\n\n{_CONVENTIONS}\n{venv}{install}{_SERVES}"
