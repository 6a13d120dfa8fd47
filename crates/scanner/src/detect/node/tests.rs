mod entries;
mod manifests;
