//! What build files of the JVM say for other files: catalogues that give packages short names, and parents that give
//! packages to every module below them.

use std::collections::BTreeMap;

use playbook_core::evidence::Evidence;
use playbook_core::harmless::Name;
use playbook_core::path::RelPath;
use playbook_core::technology::{Catalogue, Ecosystem, Strength};

use super::apps::{App, Known};
use super::candidates::Sources;
use crate::fact::{AliasFact, Dependency, Facts, ROOT_MODULE};

/// Replaces the short names of build scripts (`libs.spring.web`) by the packages of the nearest catalogue. A name with
/// dots that no catalogue knows is none of a package.
pub(crate) fn expand_aliases(facts: &mut Facts) {
    let mut catalogues: BTreeMap<&RelPath, BTreeMap<&str, &AliasFact>> = BTreeMap::new();
    for alias in &facts.aliases {
        catalogues
            .entry(&alias.dir)
            .or_default()
            .insert(alias.alias.as_str(), alias);
    }
    let find = |dir: &RelPath, name: &str| {
        let mut folder = dir.clone();
        loop {
            if let Some(found) = catalogues.get(&folder).and_then(|known| known.get(name)) {
                return Some(found.packages.clone());
            }
            if folder.is_root() {
                return None;
            }
            folder = folder.parent();
        }
    };
    let expand = |dir: &RelPath, dependency: Dependency| -> Vec<Dependency> {
        let name = dependency.name.as_str();
        if name.contains(':') || !name.contains('.') {
            return vec![dependency];
        }
        let packages = find(dir, name).unwrap_or_default();
        packages
            .into_iter()
            .map(|(name, version)| Dependency {
                name,
                version,
                ..dependency.clone()
            })
            .collect()
    };
    for project in facts
        .projects
        .iter_mut()
        .filter(|project| project.package_manager == Some("gradle"))
    {
        project.dependencies = std::mem::take(&mut project.dependencies)
            .into_iter()
            .flat_map(|dependency| expand(&project.dir, dependency))
            .collect();
    }
    facts.inherited = std::mem::take(&mut facts.inherited)
        .into_iter()
        .flat_map(|fact| {
            let of_gradle = fact.package_manager == "gradle";
            let packages = if of_gradle {
                expand(&fact.manifest.parent(), fact.dependency.clone())
            } else {
                vec![fact.dependency.clone()]
            };
            packages
                .into_iter()
                .map(move |dependency| crate::fact::InheritedFact {
                    dependency,
                    ..fact.clone()
                })
        })
        .collect();
}

/// Gives the modules below a parent what its packages stand for.
pub(crate) fn inherit(all: &mut [App], facts: &Facts) {
    let mut parents: BTreeMap<(RelPath, &str), Vec<Known>> = BTreeMap::new();
    for fact in facts.inherited.iter().filter(|fact| !fact.dependency.development) {
        let known = parents
            .entry((fact.manifest.parent(), fact.package_manager))
            .or_default();
        for found in Catalogue::get().by_package(Ecosystem::Maven, fact.dependency.name.as_str()) {
            known.push(Known {
                technology: found.technology,
                strong: found.strength == Strength::Strong,
                package: fact.dependency.name.clone(),
                evidence: Evidence::at(&fact.manifest, fact.dependency.line),
            });
        }
    }
    if parents.is_empty() {
        return;
    }
    for app in all {
        let Some(manager) = app.main().and_then(|project| project.package_manager) else {
            continue;
        };
        let mut folder = app.dir.clone();
        while !folder.is_root() {
            folder = folder.parent();
            if let Some(known) = parents.get(&(folder.clone(), manager)) {
                app.known.extend(known.iter().cloned());
            }
        }
    }
}

/// The archive that the build of an application leaves, from its folder. Where no file tells it, it has the name that it
/// usually gets in an image.
pub(crate) fn archive(app: &App, sources: &Sources<'_>) -> String {
    let stated = app.projects.iter().find_map(|project| project.archive.as_ref());
    let whole = match stated.map(Name::as_str) {
        Some(path) if path.contains(ROOT_MODULE) => sources
            .name_of_dir(&app.dir)
            .map(|name| path.replace(ROOT_MODULE, name.as_str())),
        stated => stated.map(str::to_owned),
    };
    whole.unwrap_or_else(|| "app.jar".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[test]
    fn a_catalogue_and_a_parent_script() {
        let inventory = testing::inventory(
            r#"
//- settings.gradle.kts
rootProject.name = "shop"
include("orders", "common")
//- gradle/libs.versions.toml
[versions]
boot = "3.4.1"
[libraries]
spring-web = { module = "org.springframework.boot:spring-boot-starter-web" }
postgres = "org.postgresql:postgresql:42.7.4"
mongo = { group = "org.mongodb", name = "mongodb-driver-sync", version = "5.2.0" }
[bundles]
data = ["postgres"]
[plugins]
boot = { id = "org.springframework.boot", version.ref = "boot" }
//- build.gradle.kts
subprojects {
    dependencies {
        implementation("redis.clients:jedis:5.2.0")
    }
}
//- orders/build.gradle.kts
plugins { alias(libs.plugins.boot) }
dependencies {
    implementation(libs.spring.web)
    runtimeOnly(libs.bundles.data)
}
//- orders/src/main/java/com/acme/orders/OrdersApplication.java
package com.acme.orders;
@SpringBootApplication
public class OrdersApplication {}
//- common/build.gradle.kts
plugins { `java-library` }
"#,
        );
        let services: Vec<&str> = inventory
            .services
            .iter()
            .map(|service| service.path.as_str())
            .collect();
        assert_eq!(services, ["orders"]);
        let stores: Vec<&str> = inventory
            .datastores
            .iter()
            .map(|store| store.kind.as_str())
            .collect();
        assert_eq!(stores, ["postgresql", "redis"]);
    }

    fn starts(files: &str) -> Vec<String> {
        let inventory = testing::inventory(files);
        let commands = inventory.services.iter().map(|service| &service.commands);
        commands
            .filter_map(|commands| Some(commands.start.as_ref()?.as_str().to_owned()))
            .collect()
    }

    const MAIN: &str = "
//- src/main/java/shop/Shop.java
package shop;
@SpringBootApplication
public class Shop { public static void main(String[] a) { SpringApplication.run(Shop.class, a); } }
";

    #[test]
    fn archives_are_called_as_the_build_calls_them() {
        let gradle = "
//- settings.gradle
rootProject.name = 'shop'
//- build.gradle
plugins { id 'java' }
version = '1.4.0'
dependencies {
    implementation 'org.springframework.boot:spring-boot-starter-web'
}
";
        let found = starts(&format!("{gradle}{MAIN}"));
        assert!(
            found
                .iter()
                .all(|start| start.ends_with(" -jar build/libs/shop-1.4.0.jar")),
            "{found:?}"
        );
        assert_eq!(found.len(), 1);
        let maven = "
//- pom.xml
<project><artifactId>shop</artifactId><version>2.0</version><build><finalName>${project.artifactId}</finalName></build>
<dependencies><dependency><groupId>org.springframework.boot</groupId>
<artifactId>spring-boot-starter-web</artifactId></dependency></dependencies></project>
";
        let found = starts(&format!("{maven}{MAIN}"));
        assert!(
            found.iter().all(|start| start.ends_with(" -jar target/shop.jar")),
            "{found:?}"
        );
        assert_eq!(found.len(), 1);
    }
}
