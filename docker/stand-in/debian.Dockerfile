# Stand-ins that are a Debian with packages: one target for each family in families.yaml that names this file.
# build.sh makes the two images below (a minimal Debian, and the same with package lists), passes VERSION (the main
# package's, as upstream counts it) and the host's CA bundle as the secret `ca`, and sets tags and labels.
#
# A stand-in keeps the documented contract of its upstream image: variables, entry point, users, folders, ports.
# Not here: upstream's exact files (families.yaml says what is missing), and images without a package manager
# (collected.Dockerfile).
ARG BASE=stand-in/base:trixie
ARG LISTS=stand-in/lists:trixie
# Needs the mounts that every use below repeats: package lists to read, and a cache and logs that leave no trace. What apt makes of the
# lists lies beside them.
ARG INSTALL="apt-get -qq install --yes --no-install-recommends -o Acquire::https::CaInfo=/run/secrets/ca \
 -o Dir::Cache::srcpkgcache=/var/lib/apt/lists/srcpkgcache.bin"

FROM ${LISTS} AS lists

FROM ${BASE} AS debian
# Packages must not start services in an image.
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
CMD ["bash"]

# ---- what several families need, unpacked once ----

FROM debian AS authorities
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL ca-certificates

FROM authorities AS llvm
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL libllvm19

# ---- rust ----

FROM llvm AS rust
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL cargo rustc rust-clippy rustfmt gcc libc6-dev
COPY rust/rustup /usr/local/cargo/bin/rustup
RUN cd /usr/local/cargo/bin \
    && for tool in cargo rustc rustdoc rustfmt cargo-fmt cargo-clippy clippy-driver; do ln -s "/usr/bin/$tool" .; done \
    && mkdir /usr/local/rustup \
    && chmod -R a+w /usr/local/cargo /usr/local/rustup
ARG VERSION
ENV RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo RUST_VERSION=${VERSION} \
    PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# ---- node ----

# Debian's npm is older than node's own and brings hundreds of packages, so npm comes from the registry that Debian's
# package is set up for, checked against the digest of the release.
FROM debian AS npm
ARG NPM_VERSION=10.8.2
ARG NPM_SHA512=c7f0088c520a46596b85c6f8f1da943400199748a0f7ea8cb8df75469668dc26f6fb3ba26df87e2884a5ebe91557292d0f3db7d0929cdb4f14910c3032ac81fb
WORKDIR /tmp/npm
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=secret,id=ca,mode=0444 \
    apt-get -qq download -o Acquire::https::CaInfo=/run/secrets/ca \
        -o Dir::Cache::srcpkgcache=/var/lib/apt/lists/srcpkgcache.bin npm \
    && dpkg-deb --extract npm_*.deb packaged \
    && registry=$(sed -n "s/.*registry: '\(.*\)',/\1/p" packaged/usr/share/nodejs/npm/node_modules/npm-registry-fetch/lib/default-opts.js) \
    && /usr/lib/apt/apt-helper -o Acquire::https::CaInfo=/run/secrets/ca \
        download-file "${registry}npm/-/npm-${NPM_VERSION}.tgz" npm.tgz "SHA512:${NPM_SHA512}" \
    && mkdir /npm && tar -xzf npm.tgz --strip-components=1 -C /npm \
    && rm -rf /npm/man /npm/docs && echo 'prefix=/usr/local' >/npm/npmrc

FROM authorities AS node
ARG INSTALL
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL nodejs
COPY --from=npm /npm /usr/local/lib/node_modules/npm
RUN ln -s /usr/bin/node /usr/local/bin/node && ln -s node /usr/local/bin/nodejs \
    && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
    && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
COPY node/docker-entrypoint.sh /usr/local/bin/
ARG VERSION
ENV NODE_VERSION=${VERSION}
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["node"]

# ---- python ----

FROM authorities AS python
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL python3 python3-pip python3-venv \
    && rm /usr/lib/python3*/EXTERNALLY-MANAGED \
    && for name in python python3; do ln -s /usr/bin/python3 /usr/local/bin/$name; done
ARG VERSION
ENV PYTHON_VERSION=${VERSION}
CMD ["python3"]

# ---- postgres ----

FROM llvm AS postgres
ARG INSTALL
RUN groupadd --gid 999 postgres \
    && useradd --uid 999 --gid postgres --home-dir /var/lib/postgresql --shell /bin/bash postgres
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL postgresql-common locales xz-utils zstd \
    && sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf \
    && $INSTALL postgresql-17 \
    && localedef --inputfile=en_US --charmap=UTF-8 en_US.UTF-8
RUN sed -i "s/^#*listen_addresses = [^ \t]*/listen_addresses = '*'/" /usr/share/postgresql/17/postgresql.conf.sample \
    && install -d -m 3777 -o postgres -g postgres /var/run/postgresql \
    && install -d -m 1777 -o postgres -g postgres /var/lib/postgresql /var/lib/postgresql/data \
    && mkdir /docker-entrypoint-initdb.d
COPY postgres/docker-entrypoint.sh /usr/local/bin/
ARG VERSION
ENV PG_MAJOR=17 PG_VERSION=${VERSION} PGDATA=/var/lib/postgresql/data LANG=en_US.utf8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/17/bin
VOLUME /var/lib/postgresql/data
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]

# ---- redis ----

FROM debian AS redis
ARG INSTALL
RUN groupadd --gid 999 redis && useradd --uid 999 --gid redis --no-create-home --shell /usr/sbin/nologin redis
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL redis-server
RUN install -d -o redis -g redis /data
COPY redis/docker-entrypoint.sh /usr/local/bin/
ARG VERSION
ENV REDIS_VERSION=${VERSION}
VOLUME /data
WORKDIR /data
EXPOSE 6379
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["redis-server"]

# ---- haproxy ----

FROM authorities AS haproxy
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL haproxy \
    && groupmod --gid 99 haproxy && usermod --uid 99 --gid 99 haproxy \
    && ln -s /usr/sbin/haproxy /usr/local/sbin/haproxy \
    && install -d -o haproxy -g haproxy /var/lib/haproxy && install -d /usr/local/etc/haproxy/errors
COPY haproxy/docker-entrypoint.sh /usr/local/bin/
ARG VERSION
ENV HAPROXY_VERSION=${VERSION}
USER haproxy
WORKDIR /var/lib/haproxy
STOPSIGNAL SIGUSR1
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
