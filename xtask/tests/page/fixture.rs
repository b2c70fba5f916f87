//! Reports as `size --format json` prints them, made up: a shop with everything that can be said of an image, one of ten thousand
//! files, one that is a single program, an empty one. Among their files are names that try to be more than text.

use serde_json::{Value, json};

/// A name that is markup; shown as anything but text it would rename the page.
pub const MARKUP: &str = "<img src=x onerror=\"document.title='broken'\">";

/// A path that would end the element it is embedded in.
pub const ENDING: &str = "/srv/</script><script>document.title='broken'</script>";

/// A name that reads backwards, `txt.exe`, where it is not spelled out.
pub const BACKWARDS: &str = "rechnung\u{202e}exe.txt";

/// A file: its path, its size in bytes, its layer.
type File = (String, u64, usize);

/// A file as seen from a folder above it: the names on the way to it, its size, its layer.
type Part<'a> = (Vec<&'a str>, u64, usize);

/// A report of all images.
pub fn report() -> Value {
    json!({"images": [shop(), many(), single(), empty()]})
}

/// A report of one image.
pub fn of(image: Value) -> Value {
    json!({"images": [image]})
}

/// An image over its budget, with findings, waste, packages and growth.
pub fn shop() -> Value {
    let mut files: Vec<File> = vec![
        ("/usr/lib/x86_64-linux-gnu/libicudata.so.72.1".into(), 31_300_000, 0),
        ("/usr/lib/x86_64-linux-gnu/libcrypto.so.3".into(), 4_700_000, 0),
        ("/usr/bin/perl".into(), 3_800_000, 0),
        ("/usr/local/bin/node".into(), 98_700_000, 1),
        ("/app/config/länder/größen.json".into(), 2_400_000, 4),
        (format!("/app/static/{MARKUP}"), 2_300_000, 4),
        (ENDING.into(), 2_200_000, 4),
        (format!("/app/static/{BACKWARDS}"), 2_100_000, 4),
        ("/app/dist/server.js".into(), 6_400_000, 3),
    ];
    let modules = ["typescript", "@esbuild/linux-x64", "sharp", "pg", "zod", "fastify", "undici", "pino"];
    for (at, module) in modules.iter().enumerate() {
        let size = 24_000_000 >> at;
        files.push((format!("/app/node_modules/{module}/lib/index.js"), size * 3 / 4, 2));
        files.push((format!("/app/node_modules/{module}/dist/deep/er/and/deep/er/main.cjs"), size / 4, 2));
    }
    let layers = [
        ("debian 12.11-slim", false),
        ("RUN apt-get install --yes nodejs", false),
        ("RUN npm ci", true),
        ("COPY --from=builder /app/dist /app/dist", true),
        ("COPY . /app", true),
        ("RUN rm -rf /app/config/server.pem", true),
    ];
    let mut image = image("shop", "shop/api:1.4.0", &files, &layers);
    image["budget_bytes"] = json!(200_000_000);
    image["over_bytes"] = json!(image["content_bytes"].as_u64().expect("a number") - 200_000_000);
    image["wasted_bytes"] = json!(1_203_000);
    image["findings"] = json!([
        {"rule": "private-key", "level": "error", "path": "/app/config/server.pem", "layer": 4, "instruction": "COPY . /app",
         "deleted": true, "message": "a private key is in the image", "fix": "pass it as a build secret (`--mount=type=secret`)"},
        {"rule": "dev-dependency", "level": "warning", "path": "/app/node_modules/typescript", "layer": 2,
         "instruction": "RUN npm ci", "deleted": false, "message": "`typescript` is a development dependency",
         "fix": "install with `npm ci --omit=dev`"},
        {"rule": "token", "level": "warning", "path": "", "layer": null, "instruction": "ENV TOKEN=…",
         "dockerfile": "Dockerfile", "line": 9, "deleted": false, "message": "an instruction holds a token",
         "fix": "pass it as a build secret"},
    ]);
    image["waste"] = json!([
        {"kind": "overwritten", "path": "/app/package-lock.json", "bytes": 1_200_000, "layer": 2, "by_layer": 4},
        {"kind": "duplicate", "path": "/app/dist/index.js", "bytes": 90_000, "layer": 3, "by_layer": null,
         "of": "/app/node_modules/zod/lib/index.js"},
        {"kind": "deleted", "path": "/app/config/server.pem", "bytes": 3_000, "layer": 4, "by_layer": 5},
    ]);
    image["packages"] = json!([
        {"kind": "npm", "name": "typescript", "version": "5.8.3", "bytes": 24_000_000},
        {"kind": "dpkg", "name": "libicu72", "version": "72.1-3", "bytes": 36_000_000},
    ]);
    image["growth"] = json!({
        "baseline": "shop/api:1.3.0", "bytes": 22_812_345, "percent": 9.7,
        "paths": [{"path": "/app/node_modules/typescript", "before": 0, "after": 24_000_000},
                  {"path": "/app/dist/server.js", "before": 7_587_655, "after": 6_400_000}],
        "packages": [{"kind": "npm", "name": "typescript", "before": 0, "after": 24_000_000,
                      "before_version": null, "after_version": "5.8.3"}],
        "instructions": [{"instruction": "RUN npm ci", "before": 23_000_000, "after": 47_000_000}],
    });
    image
}

/// Ten thousand files in twelve layers, their sizes far apart.
pub fn many() -> Value {
    let names: Vec<String> = (0..12).map(|layer| format!("RUN step-{layer}")).collect();
    let layers: Vec<(&str, bool)> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at > 1)).collect();
    let file = |number: usize| {
        let (folder, sub) = (number % 17, number % 101);
        let size = 200 + (number as u64).wrapping_mul(2_654_435_761) % 40_000;
        (format!("/opt/part-{folder}/sub-{sub}/file-{number}.bin"), size, number % 12)
    };
    let files: Vec<File> = (0..10_000).map(file).collect();
    image("many", "many:latest", &files, &layers)
}

/// One program and nothing else, well within its budget.
pub fn single() -> Value {
    let mut image = image("single", "single:latest", &[("/backend".into(), 6_300_000, 0)], &[("COPY /out /", true)]);
    image["budget_bytes"] = json!(20_000_000);
    image
}

/// Nothing at all.
pub fn empty() -> Value {
    image("empty", "empty:latest", &[], &[])
}

/// An image of these files, by layer; `layers` are instructions, and whether the image itself brings them.
fn image(service: &str, reference: &str, files: &[File], layers: &[(&str, bool)]) -> Value {
    let sum = |wanted: &dyn Fn(usize) -> bool| files.iter().filter(|file| wanted(file.2)).map(|file| file.1).sum::<u64>();
    let content = sum(&|_| true);
    let own = sum(&|layer| layers[layer].1);
    let layer = |(index, (instruction, is_own)): (usize, &(&str, bool))| {
        let bytes = sum(&|layer| layer == index);
        let count = files.iter().filter(|file| file.2 == index).count();
        json!({"index": index, "digest": format!("sha256:{index:064}"), "content_bytes": bytes, "transfer_bytes": bytes * 2 / 5,
               "files": count, "own": is_own, "instruction": instruction,
               "dockerfile": is_own.then_some("Dockerfile"), "line": is_own.then_some(index + 10)})
    };
    let mut largest: Vec<&File> = files.iter().collect();
    largest.sort_by_key(|file| std::cmp::Reverse(file.1));
    let largest = largest.iter().take(30).map(|(path, bytes, layer)| json!({"path": path, "bytes": bytes, "layer": layer}));
    let parts = files.iter().map(|(path, bytes, layer)| (path[1..].split('/').collect(), *bytes, *layer)).collect();
    json!({"service": service, "reference": reference, "id": format!("sha256:{:064}", 7), "stand_in": false,
           "platform": "linux/amd64", "content_bytes": content, "transfer_bytes": content * 2 / 5, "own_bytes": own,
           "base_bytes": content - own, "files": files.len(), "wasted_bytes": 0, "budget_bytes": null, "over_bytes": 0,
           "layers": layers.iter().enumerate().map(layer).collect::<Vec<_>>(), "instructions": [],
           "directories": folder("/", parts), "packages": [], "largest": largest.collect::<Vec<_>>(), "waste": [],
           "findings": [], "growth": null})
}

/// A folder of the tree, of files whose paths are given from it on.
fn folder(name: &str, files: Vec<Part>) -> Value {
    let (bytes, count) = (files.iter().map(|file| file.1).sum::<u64>(), files.len());
    let mut inside: Vec<(&str, Vec<Part>)> = Vec::new();
    let mut children = Vec::new();
    for (path, bytes, layer) in files {
        let Some((first, rest)) = path.split_first().filter(|(_, rest)| !rest.is_empty()) else {
            children.push(json!({"name": path[0], "bytes": bytes, "files": 1, "layer": layer}));
            continue;
        };
        let file = (rest.to_vec(), bytes, layer);
        match inside.iter_mut().find(|(name, _)| name == first) {
            Some((_, files)) => files.push(file),
            None => inside.push((first, vec![file])),
        }
    }
    children.extend(inside.into_iter().map(|(name, files)| folder(name, files)));
    let mut node = json!({"name": name, "bytes": bytes, "files": count, "layer": null});
    if !children.is_empty() {
        node["children"] = children.into();
    }
    node
}
