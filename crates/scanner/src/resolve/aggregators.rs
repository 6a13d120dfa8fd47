//! Builds of several modules: the folder that only lists them is no process, and an image that packs any of them by an
//! argument belongs to each.

use super::candidates::{Sources, Tier};
use super::services::Merged;

/// Drops what looks like a service and is only the root of a build with modules that run; its image goes to those of
/// them that have none.
pub(crate) fn drop(merged: &mut Vec<Merged>, sources: &Sources<'_>) {
    let mut at = 0;
    while let Some(known) = merged.get(at) {
        if !is_aggregator(known, merged, sources) {
            at += 1;
            continue;
        }
        let root = merged.remove(at);
        let images = root.parts.iter().filter(|part| part.tier == Tier::Image);
        for image in images {
            for member in merged
                .iter_mut()
                .filter(|member| member.service.is_own() && member.dir().is_in(root.dir()))
            {
                let packed = member.parts.iter().any(|part| part.dockerfile.is_some());
                let third_party = member.parts.iter().any(|part| part.third_party);
                if !packed && !third_party {
                    member.parts.push(image.clone());
                }
            }
        }
    }
}

/// A build of the JVM that lists modules, holds no entry point itself, and is started by no stack.
fn is_aggregator(known: &Merged, merged: &[Merged], sources: &Sources<'_>) -> bool {
    let Some(app) = sources.apps.at(known.dir()) else {
        return false;
    };
    let lists = app
        .projects
        .iter()
        .any(|project| project.ecosystem == "maven" && !project.members.is_empty());
    let own_entry = sources.facts.entry_points.iter().any(|entry| {
        sources
            .apps
            .owner(&entry.path)
            .is_some_and(|owner| owner.dir == app.dir)
    });
    let by_stack = known
        .parts
        .iter()
        .any(|part| matches!(part.tier, Tier::Stack | Tier::Development));
    let modules = merged
        .iter()
        .any(|other| other.dir() != known.dir() && other.dir().is_in(known.dir()));
    lists && !own_entry && !by_stack && modules
}

#[cfg(test)]
mod tests {
    use crate::testing;

    const MODULES: &str = "
//- pom.xml
<project>
  <artifactId>shop</artifactId>
  <packaging>pom</packaging>
  <modules><module>orders</module></modules>
  <dependencies>
    <dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency>
  </dependencies>
</project>
//- docker/Dockerfile
FROM eclipse-temurin:21
ARG ARTIFACT
COPY ${ARTIFACT}.jar app.jar
ENTRYPOINT [\"java\", \"-jar\", \"app.jar\"]
//- orders/pom.xml
<project><artifactId>orders</artifactId></project>
//- orders/src/main/java/com/acme/orders/OrdersApplication.java
package com.acme.orders;
@SpringBootApplication
public class OrdersApplication {}
";

    #[test]
    fn the_root_of_a_build_is_no_process() {
        let inventory = testing::inventory(MODULES);
        let told: Vec<(&str, Option<&str>)> = inventory
            .services
            .iter()
            .map(|service| {
                (
                    service.path.as_str(),
                    service
                        .dockerfile
                        .as_ref()
                        .map(playbook_core::path::RelPath::as_str),
                )
            })
            .collect();
        assert_eq!(told, [("orders", Some("docker/Dockerfile"))]);
    }

    #[test]
    fn a_root_with_a_class_of_its_own_is_one() {
        let files = format!(
            "{MODULES}//- src/main/java/com/acme/ShopApplication.java\npackage com.acme;\n@SpringBootApplication\nclass ShopApplication {{}}\n"
        );
        let inventory = testing::inventory(&files);
        assert!(inventory.services.iter().any(|service| service.path.is_root()));
    }
}
