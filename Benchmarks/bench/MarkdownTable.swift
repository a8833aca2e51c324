/// Tables in Markdown whose columns stand below each other, a line at a time. A negative width: to the left.
enum MarkdownTable {
    static func header(_ columns: [(title: String, width: Int)]) -> [String] {
        [
            line(columns.map(\.title), columns),
            "|"
                + columns.map { String(repeating: "-", count: abs($0.width) + 1) + ($0.width > 0 ? ":" : "-") }
                .joined(separator: "|") + "|",
        ]
    }

    static func line(_ cells: [String], _ columns: [(title: String, width: Int)]) -> String {
        "| " + zip(cells, columns).map { Text.row([$0], [$1.width]) }.joined(separator: " | ") + " |"
    }
}
