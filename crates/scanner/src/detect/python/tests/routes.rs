use super::facts;

/// Method, path and router of each route.
fn routes(files: &str) -> Vec<(String, String, Option<String>)> {
    facts(files)
        .routes
        .iter()
        .map(|route| {
            (
                route.method.to_owned(),
                route.path.to_string(),
                route.router.as_ref().map(ToString::to_string),
            )
        })
        .collect()
}

fn one(method: &str, path: &str, router: Option<&str>) -> (String, String, Option<String>) {
    (method.to_owned(), path.to_owned(), router.map(str::to_owned))
}

#[test]
fn routers_and_their_prefixes() {
    let files = "//- backend/app/api/rooms.py\nfrom fastapi import APIRouter\nrouter = APIRouter(prefix='/rooms')\n@router.get('')\ndef all(): return []\n@router.post('/{id}/book', status_code=201)\nasync def book(id: int, user: CurrentUser): ...\n";
    let found = facts(files);
    let router = Some("backend.app.api.rooms:router");
    assert_eq!(
        routes(files),
        [
            one("GET", "/rooms", router),
            one("POST", "/rooms/{id}/book", router)
        ]
    );
    assert_eq!(found.routes[1].authenticated, Some(true));
    let mounts = facts(
        "//- backend/app/main.py\nfrom fastapi import FastAPI\nfrom app.api import rooms\nfrom app.api.users import router as users_router\nfrom app.config import settings\napp = FastAPI()\n@app.get('/')\ndef index(): return {}\napp.include_router(rooms.router, prefix=settings.API_PREFIX)\napp.include_router(users_router, prefix=f'{settings.API_PREFIX}/users')\n",
    );
    let told: Vec<(String, Option<String>, String, String)> = mounts
        .prefixes
        .iter()
        .map(|prefix| {
            (
                prefix
                    .prefix
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                prefix.reference.as_ref().map(ToString::to_string),
                prefix
                    .module
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                prefix
                    .router
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            )
        })
        .collect();
    let reference = Some("API_PREFIX".to_owned());
    assert_eq!(
        told,
        [
            (
                "/".to_owned(),
                reference.clone(),
                "backend/app/api/rooms".to_owned(),
                "router".to_owned()
            ),
            (
                "/users".to_owned(),
                reference,
                "backend/app/api/users".to_owned(),
                "router".to_owned()
            ),
        ]
    );
    assert!(mounts.prefixes.iter().all(|prefix| prefix.parent.is_none()));
    assert_eq!(mounts.routes[0].router, None);
}

#[test]
fn blueprints_and_resources() {
    let files = "//- shop/views.py\nfrom flask import Blueprint\nfrom flask_restful import Api\nbp = Blueprint('shop', __name__, url_prefix='/shop')\napi = Api(bp)\n@bp.route('/list', methods=['GET', 'POST'])\n@login_required\ndef listing(): return db.session.query()\nclass Item(Resource):\n    def get(self): ...\napi.add_resource(Item, '/item/<int:id>')\n";
    let found = facts(files);
    let paths: Vec<String> = found
        .routes
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(
        paths,
        ["GET /shop/list", "POST /shop/list", "* /shop/item/<int:id>"]
    );
    assert_eq!(found.routes[0].authenticated, Some(true));
    assert_eq!(found.routes[0].touches, ["database"]);
}

#[test]
fn health_handlers() {
    let found = facts(
        "//- a.py\nfrom fastapi import FastAPI\napp = FastAPI()\n@app.get('/live')\ndef live(): return {'ok': True}\n@app.get('/ready')\nasync def ready(db = Depends(get_db)):\n    await db.execute(text('SELECT 1'))\n    return JSONResponse({'ok': True})\n@app.get('/status')\ndef status(user = Depends(get_current_user)):\n    return collect()\n",
    );
    let told: Vec<(bool, usize, Option<bool>)> = found
        .routes
        .iter()
        .map(|route| (route.constant, route.touches.len(), route.authenticated))
        .collect();
    assert_eq!(told, [(true, 0, None), (false, 1, None), (false, 0, Some(true))]);
}

#[test]
fn what_only_looks_like_a_route() {
    let files = "//- a.py\nimport requests\nfrom fastapi import FastAPI\n# @app.get('/no')\ndef load(client):\n    client.get('/remote')\n    requests.get('/remote')\n    cache.get('/x')\n@mock.patch('/x')\ndef f(): ...\n";
    assert_eq!(routes(files), []);
}

#[test]
fn other_frameworks() {
    assert_eq!(
        routes(
            "//- a.py\nfrom starlette.applications import Starlette\nfrom starlette.routing import Route, Mount\napp = Starlette(routes=[Route('/', home), Mount('/api', routes=[Route('/x', x, methods=['POST'])])])\n"
        ),
        [one("GET", "/", None), one("POST", "/api/x", None)]
    );
    assert_eq!(
        routes(
            "//- b.py\nfrom aiohttp import web\napp = web.Application()\napp.router.add_get('/health', health)\n"
        ),
        [one("GET", "/health", None)]
    );
}

#[test]
fn patterns_of_django() {
    let found = facts(
        "//- shop/config/urls.py\nfrom django.contrib import admin\nfrom django.urls import include, path, re_path\nfrom rest_framework.routers import DefaultRouter\nrouter = DefaultRouter()\nrouter.register(r'orders', OrderViewSet)\nurlpatterns = [\n    path('admin/', admin.site.urls),\n    path('health/', lambda request: HttpResponse('ok')),\n    path('api/', include(router.urls)),\n    path('shop/', include('catalogue.urls')),\n    path('v1/', include([path('ping/', ping)])),\n    re_path(r'^item/(?P<pk>\\d+)/$', login_required(item)),\n]\n",
    );
    let paths: Vec<String> = found.routes.iter().map(|route| route.path.to_string()).collect();
    assert_eq!(paths, ["/health/", "/v1/ping/", "/item/<pk>/", "/orders/"]);
    assert!(found.routes[0].constant);
    assert_eq!(found.routes[2].authenticated, Some(true));
    let mounts: Vec<(String, String, String)> = found
        .prefixes
        .iter()
        .map(|prefix| {
            let text = |part: Option<String>| part.unwrap_or_default();
            (
                text(prefix.prefix.as_ref().map(ToString::to_string)),
                text(prefix.module.as_ref().map(ToString::to_string)),
                text(prefix.router.as_ref().map(ToString::to_string)),
            )
        })
        .collect();
    let expected = [
        ("/api", "shop/config/urls", "router"),
        ("/shop", "catalogue/urls", "urlpatterns"),
    ];
    assert_eq!(
        mounts,
        expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()))
    );
    let admin: Vec<Option<&str>> = found
        .interfaces
        .iter()
        .map(|interface| interface.path.as_ref().map(playbook_core::shown::Shown::as_str))
        .collect();
    assert_eq!(admin, [Some("/admin/")]);
}
