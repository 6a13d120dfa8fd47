use playbook_core::inventory::Proxy;

use super::DETECTOR;
use crate::testing;

fn told(files: &str) -> Vec<String> {
    testing::facts(&DETECTOR, files)
        .proxies
        .iter()
        .map(line)
        .collect()
}

/// `kind listens tls hosts: path → target:port (upgrade); setting=value/number`
fn line(proxy: &Proxy) -> String {
    use std::fmt::Write;
    let mut out = format!("{} {:?}", proxy.kind, proxy.listens);
    if proxy.tls {
        out.push_str(" tls");
    }
    if proxy.redirects {
        out.push_str(" redirects");
    }
    for host in &proxy.hosts {
        let _ = write!(out, " {host}");
    }
    for forward in &proxy.forwards {
        let text = |shown: &Option<playbook_core::shown::Shown>, none: &str| {
            shown
                .as_ref()
                .map_or_else(|| none.to_owned(), ToString::to_string)
        };
        let _ = write!(
            out,
            "; {} → {}",
            text(&forward.path, "all"),
            text(&forward.target, "?")
        );
        if let Some(port) = forward.port {
            let _ = write!(out, ":{port}");
        }
        if forward.upgrade {
            out.push_str(" up");
        }
        let _ = write!(out, " @{}", forward.evidence[0].line.unwrap_or(0));
    }
    for setting in &proxy.settings {
        let _ = write!(out, "; {}", setting.name);
        if let Some(value) = &setting.value {
            let _ = write!(out, "={value}");
        }
        if let Some(number) = setting.number {
            let _ = write!(out, "/{number}");
        }
    }
    out
}

#[test]
fn servers_of_nginx() {
    let text = "//- deploy/nginx/shop\nlimit_req_zone $binary_remote_addr zone=login:10m rate=5r/m;\nupstream api { server api:8000; }\nclient_max_body_size 5m;\nserver {\n  listen 80;\n  server_name shop.example.com;\n  return 301 https://$host$request_uri;\n}\nserver {\n  listen 443 ssl http2;\n  listen [::]:443 ssl;\n  server_name shop.example.com _;\n  ssl_certificate /etc/ssl/shop.pem;\n  proxy_read_timeout 2m;\n  location /ws/ {\n    proxy_pass http://api;\n    proxy_set_header Upgrade $http_upgrade;\n  }\n  location /upload {\n    client_max_body_size 50m;\n    proxy_pass http://api/upload;\n  }\n  location /login { limit_req zone=login burst=3; proxy_pass http://api; }\n  location / { try_files $uri @app; }\n  location @app { proxy_pass http://unix:/run/web.sock; }\n  location ~ \\.php$ { fastcgi_pass php:9000; }\n  # location /old { proxy_pass http://old:1; }\n}\n";
    assert_eq!(
        told(text),
        [
            "nginx [80] redirects shop.example.com; client_max_body_size=5m/5242880",
            "nginx [443] tls shop.example.com; /ws/ → api:8000 up @16; /upload → api:8000 @21; /login → api:8000 @23; all → /run/web.sock @25; *.php → php:9000 @26; ssl_certificate=/etc/ssl/shop.pem; proxy_read_timeout=2m/120; client_max_body_size=50m/52428800; limit_req=5 a minute/5; client_max_body_size=5m/5242880",
        ]
    );
}

#[test]
fn targets_that_variables_of_nginx_name() {
    let text = "//- nginx.conf\nhttp { server { listen ${PORT}; server_name ${DOMAIN};\n set $upstream web:3000;\n location / { proxy_pass http://$upstream; }\n location /api { set $to http://one; if ($x = a) { set $to http://two:81; } proxy_pass $to; }\n location /env { proxy_pass ${API_URL}; }\n location /any { proxy_pass http://$host; } } }\n";
    assert_eq!(
        told(text),
        [
            "nginx [] ${DOMAIN}; all → web:3000 @3; /api → one:80 @4; /api → two:81 @4; /env → ${API_URL} @5; /any → ?:80 @6"
        ]
    );
}

#[test]
fn a_configuration_inside_a_config_map() {
    let text = "//- k8s/edge.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: edge}\ndata:\n  default.conf: |\n    server {\n      listen 80;\n      location /api {\n        proxy_pass http://api:8080;\n      }\n    }\n";
    assert_eq!(told(text), ["nginx [80]; /api → api:8080 @9"]);
}

#[test]
fn sites_of_caddy() {
    let text = "//- Caddyfile\n{\n\temail ops@example.com\n}\n(common) {\n\theader {\n\t\tX-Frame-Options DENY\n\t\t-Server\n\t}\n}\n{$DOMAIN}, www.example.com {\n\timport common\n\t@api path /api/*\n\treverse_proxy @api api:8000\n\thandle /files/* {\n\t\trequest_body {\n\t\t\tmax_size 20MB\n\t\t}\n\t\treverse_proxy {\n\t\t\tto http://files:9000\n\t\t}\n\t}\n\treverse_proxy web:3000\n}\nhttp://old.example.com {\n\tredir https://www.example.com{uri}\n}\n";
    assert_eq!(
        told(text),
        [
            "caddy [443] tls ${DOMAIN} www.example.com; /api/* → api:8000 up @13; /files/* → files:9000 up @19; all → web:3000 up @22; X-Frame-Options; max_size=20MB/20971520",
            "caddy [80] redirects old.example.com",
        ]
    );
    assert_eq!(
        told("//- docker/Caddyfile\n:8080\nreverse_proxy app:5000\n"),
        ["caddy [8080]; all → app:5000 up @2"]
    );
}

#[test]
fn frontends_of_haproxy() {
    let text = "//- haproxy.cfg\ndefaults\n  timeout client 30s\n  timeout server 5000\nfrontend web\n  bind *:80\n  bind *:443 ssl crt /etc/ssl/site.pem\n  acl is_api path_beg /api\n  acl site hdr(host) -i shop.example.com\n  use_backend api if is_api\n  default_backend web\nbackend api\n  timeout server 60s\n  server a1 api:8000 check\nbackend web\n  server w1 web:3000\n";
    assert_eq!(
        told(text),
        [
            "haproxy [80, 443] tls shop.example.com; /api → api:8000 up @13; all → web:3000 up @15; server=60s/60; client=30s/30; server=5000ms/5"
        ]
    );
}

#[test]
fn listeners_of_envoy() {
    let text = "//- envoy.yaml\nstatic_resources:\n  listeners:\n    - name: main\n      address: { socket_address: { address: 0.0.0.0, port_value: 8080 } }\n      filter_chains:\n        - filters:\n            - typed_config:\n                route_config:\n                  virtual_hosts:\n                    - domains: [\"*\", \"api.example.com\"]\n                      routes:\n                        - match: { prefix: \"/v1\" }\n                          route: { cluster: api, timeout: 15s }\n  clusters:\n    - name: api\n      load_assignment:\n        endpoints:\n          - lb_endpoints:\n              - endpoint:\n                  address:\n                    socket_address:\n                      address: api\n                      port_value: 9000\n";
    assert_eq!(
        told(text),
        ["envoy [8080] api.example.com; /v1 → api:9000 @22; timeout=15s/15"]
    );
}

#[test]
fn routers_of_traefik() {
    let file = "//- traefik/dynamic.yml\nhttp:\n  routers:\n    api:\n      rule: \"Host(`api.example.com`) && PathPrefix(`/v1`)\"\n      service: api\n      middlewares: [limit]\n      tls:\n        certResolver: letsencrypt\n  middlewares:\n    limit:\n      rateLimit:\n        average: 50\n      buffering:\n        maxRequestBodyBytes: 1048576\n  services:\n    api:\n      loadBalancer:\n        servers:\n          - url: http://api:8000\n";
    assert_eq!(
        told(file),
        [
            "traefik [] tls api.example.com; /v1 → api:8000 up @19; certresolver=letsencrypt; buffering.maxrequestbodybytes=1048576/1048576; ratelimit.average=50/50"
        ]
    );
    let labels = "//- compose.yaml\nservices:\n  api:\n    image: registry.example.com/api:1\n    labels:\n      - traefik.enable=true\n      - traefik.http.routers.${STACK:?unset}-api.rule=Host(`api.${DOMAIN:?unset}`)\n      - traefik.http.routers.${STACK:?unset}-api.tls.certresolver=le\n      - traefik.http.services.${STACK:?unset}-api.loadbalancer.server.port=8000\n      - traefik.http.routers.${STACK:?unset}-plain.rule=Host(`api.${DOMAIN:?unset}`)\n      - traefik.http.routers.${STACK:?unset}-plain.middlewares=secure\n      - traefik.http.middlewares.secure.redirectscheme.scheme=https\n";
    let found: Vec<String> = testing::inventory(labels).proxies.iter().map(line).collect();
    assert_eq!(
        found,
        [
            "traefik [] tls api.${DOMAIN}; all → api:8000 up @8; certresolver=le",
            "traefik [] redirects api.${DOMAIN}",
        ]
    );
}

#[test]
fn ways_into_a_cluster() {
    let text = "//- k8s/edge.yaml\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n  annotations:\n    nginx.ingress.kubernetes.io/proxy-body-size: 16m\n    cert-manager.io/cluster-issuer: letsencrypt\nspec:\n  tls: [{hosts: [shop.example.com], secretName: shop-tls}]\n  rules:\n    - host: shop.example.com\n      http:\n        paths:\n          - path: /api\n            backend: {service: {name: api, port: {number: 80}}}\n---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: mesh}\nspec:\n  hosts: [\"*\", \"api.example.com\"]\n  http:\n    - timeout: 10s\n      route:\n        - destination: {host: api.shop.svc.cluster.local, port: {number: 8080}}\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: gate}\nspec:\n  listeners:\n    - {port: 443, protocol: HTTPS, hostname: \"*.example.com\", tls: {certificateRefs: [{name: wild}]}}\n";
    let found: Vec<String> = testing::inventory(text).proxies.iter().map(line).collect();
    assert_eq!(
        found,
        [
            "gateway-api [443] tls *.example.com; secretName=wild",
            "istio [] api.example.com; all → api:8080 up @25; timeout=10s/10",
            "kubernetes-ingress [] tls shop.example.com; /api → api:80 up @14; secretName=shop-tls; nginx.ingress.kubernetes.io/proxy-body-size=16m/16777216; cert-manager.io/cluster-issuer=letsencrypt",
        ]
    );
}

#[test]
fn other_files_are_none() {
    let text = "//- src/app.conf\n[server]\nlisten = 80\n//- web/nginx/README\nA server listens; location of files.\n//- config.toml\nrouters = 3\n//- setup.cfg\n[tool]\nlisten = x\n";
    assert!(told(text).is_empty());
}
