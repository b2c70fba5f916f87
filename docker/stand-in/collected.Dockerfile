# Stand-ins that carry a few programs and no package manager: one target for each family in families.yaml that names
# this file. Programs come from Debian packages and are collected, with the libraries they load, into an empty root.
# build.sh passes VERSION and the secret `ca` as for debian.Dockerfile.
ARG BASE=stand-in/base:trixie
ARG LISTS=stand-in/lists:trixie
# Needs the mounts that every use below repeats: package lists to read, and a cache and logs that leave no trace. What apt makes of the
# lists lies beside them.
ARG INSTALL="apt-get -qq install --yes --no-install-recommends -o Acquire::https::CaInfo=/run/secrets/ca \
 -o Dir::Cache::srcpkgcache=/var/lib/apt/lists/srcpkgcache.bin"
ARG SEARCH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

FROM ${LISTS} AS lists

# ---- roots: /out is the root file system of the image to be ----

# What every one has: users, temporary folders, certificate authorities, time zones.
FROM ${BASE} AS bare-root
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL ca-certificates tzdata busybox-static
COPY collect.sh /usr/local/bin/collect
WORKDIR /out
RUN collect . \
    && mkdir -p etc/ssl/certs home run usr/share var/lib var/log var/cache && install -d -m 0700 root \
    && install -d -m 1777 tmp var/tmp && ln -s /run var/run \
    && printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n' >etc/passwd \
    && printf 'root:x:0:\nnobody:x:65534:\n' >etc/group \
    && printf 'hosts: files dns\n' >etc/nsswitch.conf \
    && cp /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/ && cp -r /usr/share/zoneinfo usr/share/ \
    && cp -P /etc/os-release etc/ && cp /usr/lib/os-release usr/lib/

FROM bare-root AS shell-root
RUN collect . /usr/bin/busybox && chroot . /usr/bin/busybox --install -s /usr/bin

# ---- busybox, alpine ----

FROM scratch AS busybox
COPY --from=shell-root /out /
CMD ["sh"]

FROM busybox AS alpine
CMD ["/bin/sh"]

# ---- distroless ----

FROM bare-root AS distroless-files
RUN sed -i 's|/bin/sh|/sbin/nologin|' etc/passwd \
    && echo 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >>etc/passwd && echo 'nonroot:x:65532:' >>etc/group \
    && install -d -m 0700 -o 65532 -g 65532 home/nonroot

FROM scratch AS distroless-static
ARG SEARCH
COPY --from=distroless-files /out /
ENV PATH=${SEARCH} SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /

FROM distroless-static AS distroless-static-nonroot
USER 65532
WORKDIR /home/nonroot

FROM distroless-files AS distroless-base-files
RUN for name in libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 librt.so.1 libresolv.so.2 libssl.so.3 libcrypto.so.3; do \
        collect . /usr/lib/*-linux-gnu/$name; done

FROM distroless-static AS distroless-base
COPY --from=distroless-base-files /out/usr /usr

FROM distroless-base AS distroless-base-nonroot
USER 65532
WORKDIR /home/nonroot

FROM distroless-base-files AS distroless-cc-files
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL libgcc-s1 libstdc++6 libgomp1 \
    && for name in libgcc_s.so.1 libstdc++.so.6 libgomp.so.1; do collect . /usr/lib/*-linux-gnu/$name; done

FROM distroless-static AS distroless-cc
COPY --from=distroless-cc-files /out/usr /usr

FROM distroless-cc AS distroless-cc-nonroot
USER 65532
WORKDIR /home/nonroot

# ---- nginx ----

# The binary keeps Debian's built-in folder for temporary files; the link leads it to the one that upstream documents.
FROM shell-root AS nginx-files
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL nginx gettext-base \
    && collect . /usr/sbin/nginx /usr/bin/envsubst \
    && mkdir -p etc/nginx/conf.d etc/nginx/templates docker-entrypoint.d usr/share/nginx/html var/cache/nginx var/log/nginx \
    && ln -s /var/cache/nginx var/lib/nginx \
    && ln -s /dev/stdout var/log/nginx/access.log && ln -s /dev/stderr var/log/nginx/error.log \
    && cp /etc/nginx/mime.types /etc/nginx/fastcgi_params /etc/nginx/scgi_params /etc/nginx/uwsgi_params etc/nginx/ \
    && echo 'nginx:x:101:101:nginx:/var/cache/nginx:/sbin/nologin' >>etc/passwd && echo 'nginx:x:101:' >>etc/group
COPY <<NGINX_CONF etc/nginx/nginx.conf
user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;

events {
    worker_connections 1024;
}

http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log combined;
    sendfile on;
    keepalive_timeout 65;
    include /etc/nginx/conf.d/*.conf;
}
NGINX_CONF
COPY <<DEFAULT_CONF etc/nginx/conf.d/default.conf
server {
    listen 80;
    server_name localhost;
    root /usr/share/nginx/html;
    index index.html index.htm;
}
DEFAULT_CONF
COPY <<INDEX_HTML usr/share/nginx/html/index.html
<!doctype html>
<title>nginx</title>
<p>nginx answers from a stand-in image.</p>
INDEX_HTML
COPY nginx/docker-entrypoint.sh ./
COPY nginx/15-local-resolvers.envsh nginx/20-envsubst-on-templates.sh docker-entrypoint.d/

FROM scratch AS nginx
COPY --from=nginx-files /out /
ARG SEARCH
ARG VERSION
ENV NGINX_VERSION=${VERSION} PATH=${SEARCH}
EXPOSE 80
STOPSIGNAL SIGQUIT
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["nginx", "-g", "daemon off;"]

# Any user may run it: everything nginx writes is in /tmp, and the configuration belongs to the user and to group 0.
FROM nginx-files AS nginx-unprivileged-files
RUN sed -i -e '/^user /d' -e 's|^pid .*|pid /tmp/nginx.pid;|' etc/nginx/nginx.conf \
    && sed -i '/^http {/r /dev/stdin' etc/nginx/nginx.conf <<'TEMPORARY' \
    && sed -i 's/listen 80;/listen 8080;/' etc/nginx/conf.d/default.conf \
    && chown -R 101:0 etc/nginx var/cache/nginx && chmod -R g+w etc/nginx var/cache/nginx
    client_body_temp_path /tmp/client_temp;
    proxy_temp_path /tmp/proxy_temp;
    fastcgi_temp_path /tmp/fastcgi_temp;
    uwsgi_temp_path /tmp/uwsgi_temp;
    scgi_temp_path /tmp/scgi_temp;
TEMPORARY

FROM scratch AS nginx-unprivileged
COPY --from=nginx-unprivileged-files /out /
ARG SEARCH
ARG VERSION
ENV NGINX_VERSION=${VERSION} PATH=${SEARCH}
USER 101
EXPOSE 8080
STOPSIGNAL SIGQUIT
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["nginx", "-g", "daemon off;"]

# ---- eclipse-mosquitto ----

FROM shell-root AS mosquitto-files
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL mosquitto mosquitto-clients \
    && collect . /usr/sbin/mosquitto /usr/bin/mosquitto_passwd /usr/bin/mosquitto_ctrl \
        /usr/bin/mosquitto_pub /usr/bin/mosquitto_sub /usr/bin/mosquitto_rr /usr/lib/*-linux-gnu/mosquitto_dynamic_security.so \
    && echo 'mosquitto:x:1883:1883:mosquitto:/var/empty:/sbin/nologin' >>etc/passwd && echo 'mosquitto:x:1883:' >>etc/group \
    && mkdir -p mosquitto/config mosquitto/data mosquitto/log && chown -R 1883:1883 mosquitto \
    && echo '# Without a listener here, the broker answers on 127.0.0.1:1883 only.' >mosquitto/config/mosquitto.conf
COPY mosquitto/docker-entrypoint.sh ./

FROM scratch AS eclipse-mosquitto
ARG SEARCH
COPY --from=mosquitto-files /out /
ARG VERSION
ENV VERSION=${VERSION} PATH=${SEARCH}
VOLUME /mosquitto/data /mosquitto/log
EXPOSE 1883
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["/usr/sbin/mosquitto", "-c", "/mosquitto/config/mosquitto.conf"]

# ---- memcached ----

FROM shell-root AS memcached-files
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL memcached \
    && collect . /usr/bin/memcached \
    && echo 'memcache:x:11211:11211:memcache:/:/sbin/nologin' >>etc/passwd && echo 'memcache:x:11211:' >>etc/group
COPY memcached/docker-entrypoint.sh usr/local/bin/

FROM scratch AS memcached
ARG SEARCH
COPY --from=memcached-files /out /
ARG VERSION
ENV MEMCACHED_VERSION=${VERSION} PATH=${SEARCH}
USER memcache
EXPOSE 11211
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["memcached"]

# ---- registry ----

FROM shell-root AS registry-files
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL docker-registry \
    && collect . /usr/bin/docker-registry && mv usr/bin/docker-registry usr/bin/registry \
    && mkdir -p etc/docker/registry var/lib/registry
COPY registry/entrypoint.sh ./
COPY <<CONFIG etc/docker/registry/config.yml
version: 0.1
log: {fields: {service: registry}}
storage:
  cache: {blobdescriptor: inmemory}
  filesystem: {rootdirectory: /var/lib/registry}
http:
  addr: :5000
  headers: {X-Content-Type-Options: [nosniff]}
health:
  storagedriver: {enabled: true, interval: 10s, threshold: 3}
CONFIG

FROM scratch AS registry
ARG SEARCH
COPY --from=registry-files /out /
ENV PATH=${SEARCH}
VOLUME /var/lib/registry
EXPOSE 5000
ENTRYPOINT ["/entrypoint.sh"]
CMD ["/etc/docker/registry/config.yml"]

# ---- prometheus and its exporters ----

FROM shell-root AS prometheus-files
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL prometheus \
    && collect . /usr/bin/prometheus /usr/bin/promtool \
    && mkdir -p etc/prometheus && install -d -m 0755 -o 65534 -g 65534 prometheus
COPY <<CONFIG etc/prometheus/prometheus.yml
global: {scrape_interval: 15s}
scrape_configs:
  - job_name: prometheus
    static_configs: [{targets: ["localhost:9090"]}]
CONFIG

FROM scratch AS prometheus
ARG SEARCH
COPY --from=prometheus-files /out /
ENV PATH=${SEARCH}
USER nobody
WORKDIR /prometheus
VOLUME /prometheus
EXPOSE 9090
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]

FROM shell-root AS postgres-exporter-files
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL prometheus-postgres-exporter \
    && collect . /usr/bin/prometheus-postgres-exporter && mv usr/bin/prometheus-postgres-exporter usr/bin/postgres_exporter

FROM scratch AS postgres-exporter
ARG SEARCH
COPY --from=postgres-exporter-files /out /
ENV PATH=${SEARCH}
USER nobody
EXPOSE 9187
ENTRYPOINT ["/bin/postgres_exporter"]

FROM bare-root AS redis-exporter-files
ARG INSTALL
RUN --mount=type=bind,from=lists,source=/var/lib/apt/lists,target=/var/lib/apt/lists,rw \
    --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/log --mount=type=secret,id=ca,mode=0444 \
    $INSTALL prometheus-redis-exporter \
    && collect . /usr/bin/prometheus-redis-exporter && mv usr/bin/prometheus-redis-exporter redis_exporter

FROM scratch AS redis-exporter
COPY --from=redis-exporter-files /out /
USER 59000:59000
EXPOSE 9121
ENTRYPOINT ["/redis_exporter"]
