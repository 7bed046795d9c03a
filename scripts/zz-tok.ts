import { encode } from "gpt-tokenizer/encoding/o200k_base";
const l = JSON.parse(await Bun.file("src/surface/mcp/listing.json").text());
console.log("grouped", encode(JSON.stringify(l.grouped)).length);
