/** The bill of materials in CycloneDX 1.6: what is inside the binary of one target. */
import pkg from "../../package.json";
import type { Package } from "./packages.ts";
import { bunVersion, type Target } from "./targets.ts";

/** `time`: ISO-8601. The same input gives the same text. */
export function sbom(target: Target, packages: readonly Package[], time: string): string {
  const main = `pkg:generic/dispatch@${pkg.version}?arch=${target.arch}&os=${target.os}`;
  const bun = purl(target.runtime.package, bunVersion);
  const refs = new Map(packages.map(({ name, version }) => [name, purl(name, version)]));
  const direct = Object.keys(pkg.dependencies).flatMap((name) => refs.get(name) ?? []);
  const dependencies = [
    { ref: main, dependsOn: [bun, ...direct] },
    { ref: bun, dependsOn: [] },
    ...packages.map(({ name, needs }) => ({
      ref: refs.get(name),
      dependsOn: needs.map((need) => refs.get(need)),
    })),
  ];
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: time,
      component: {
        type: "application",
        "bom-ref": main,
        name: "dispatch",
        version: pkg.version,
        description: pkg.description,
        licenses: [{ license: { id: pkg.license } }],
        purl: main,
        properties: [{ name: "dispatch:target", value: target.name }],
      },
    },
    components: [
      {
        type: "application",
        "bom-ref": bun,
        name: target.runtime.package,
        version: bunVersion,
        // Of the npm package.
        hashes: [{ alg: "SHA-512", content: hex(target.runtime.integrity) }],
        licenses: [{ license: { id: "MIT" } }, { license: { id: "LGPL-2.0-only" } }],
        purl: bun,
      },
      ...packages.map(({ name, version, license }) => ({
        type: "library",
        "bom-ref": refs.get(name),
        name,
        version,
        licenses: [{ license: { id: license } }],
        purl: refs.get(name),
      })),
    ],
    dependencies,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function purl(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

function hex(integrity: string): string {
  return Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
}
