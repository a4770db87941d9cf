# docker build --tag kubelemma https://git.example/kubelemma.git#v0.1.0
# (from wherever the repository lives, by the tag of a release; or --tag kubelemma . in a copy of it)
# docker run --rm --volume "$PWD:/work:ro" kubelemma check --no-save --no-cache deploy/

# By its digest, where the same image is to be built again: python@sha256:...
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /source
COPY . .
# A fifth of what is installed are the test suites of libraries. Sources get a time in whole
# seconds, because numba compares it and a layer keeps no fractions.
RUN python -m venv /opt/kubelemma \
    && /opt/kubelemma/bin/python -m pip install --no-cache-dir --no-compile . \
    && /opt/kubelemma/bin/python -m pip uninstall --yes pip \
    && find /opt/kubelemma/lib -type d -name tests -prune -exec rm -rf {} + \
    && find /opt/kubelemma/lib -name '*.py' -exec touch --date=2000-01-01 {} + \
    && /opt/kubelemma/bin/python -m compileall -q /opt/kubelemma/lib
# The engine is compiled here, for any processor of this architecture, and not in each container.
ENV NUMBA_CACHE_DIR=/var/cache/kubelemma \
    NUMBA_CPU_NAME=generic
RUN /opt/kubelemma/bin/python -c \
      'from kubelemma.solver.compiled.warming import compile_all; compile_all()'

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="kubelemma" \
      org.opencontainers.image.description="A formal model checker for the Kubernetes control plane" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH="/opt/kubelemma/bin:$PATH" \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/var/cache/kubelemma \
    NUMBA_CPU_NAME=generic
COPY --from=build /opt/kubelemma /opt/kubelemma
COPY --from=build --chown=65532:65532 /var/cache/kubelemma /var/cache/kubelemma
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["kubelemma"]
CMD ["--help"]
