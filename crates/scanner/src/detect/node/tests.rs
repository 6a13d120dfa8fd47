mod data;
mod entries;
mod manifests;
mod routes;
