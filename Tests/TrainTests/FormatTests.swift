import Testing

@testable import train

@Suite struct FormatTests {
    /// What C prints with `%.4f`.
    @Test(arguments: [
        (1.2167346446742608, "1.2167"), (0.00004999, "0.0000"), (0.00005001, "0.0001"), (0.99995, "1.0000"),
        (-0.25, "-0.2500"), (1e20, "100000000000000000000.0000"), (.infinity, "inf"), (0, "0.0000"),
    ]) func fixedDecimals(value: Double, text: String) {
        #expect(fixed(value, 4) == text)
    }

    @Test func fixedRoundsTheExactValue() {
        // 0.125 is a tie and goes to the even digit; 2.675 lies just below one.
        #expect(fixed(0.125, 2) == "0.12")
        #expect(fixed(0.375, 2) == "0.38")
        #expect(fixed(2.675, 2) == "2.67")
        #expect(fixed(.greatestFiniteMagnitude, 4).count == 314)
        #expect(fixed(.nan, 4).contains("nan"))
    }

    @Test func scientificNotation() {
        #expect(scientific(3.7965e-5, 1) == "3.8e-05")
        #expect(scientific(9.96e99, 1) == "1.0e+100")
    }

    @Test func groupsOfThree() {
        #expect(
            [0, 7, 999, 1_000, 12_345, 1_000_000, -4_321].map(grouped)
                == ["0", "7", "999", "1,000", "12,345", "1,000,000", "-4,321"])
        #expect(counted(1, "thread") == "1 thread")
        #expect(counted(5_000, "epoch") == "5,000 epochs")
    }

    @Test(arguments: [
        (0.000_14, "140 µs"), (0.000_999_7, "1.0 ms"), (0.003_21, "3.2 ms"), (0.714, "0.71 s"), (9.996, "10.0 s"),
        (59.96, "1 min 0 s"), (200, "3 min 20 s"), (7_500, "2 h 5 min"), (1e300, "ages"),
    ]) func durations(seconds: Double, text: String) {
        #expect(duration(seconds: seconds) == text)
    }

    @Test func json() {
        let value = JSON.object([
            ("text", .string("a \"b\" \\ \n é")), ("unsigned", .unsigned(.max)), ("tiny", .number(2.4e-05)),
            ("nan", .number(.nan)), ("list", .array([.integer(-1), .boolean(true)])),
        ])
        let expected =
            #"{"text":"a \"b\" \\ \u000a é","unsigned":18446744073709551615,"tiny":2.4e-05,"#
            + #""nan":null,"list":[-1,true]}"#
        #expect(value.text == expected)
    }

    @Test func progressLine() {
        #expect(
            Report.line(51, train: 0.90124, test: 0.84196) == "Iteration: 50, train loss: 0.9012, test loss: 0.8420")
    }

    /// What a terminal would obey, no program sees otherwise.
    @Test func jsonHasNoCharacterThatIsNotSeen() {
        #expect(
            JSON.string("\u{1B}[2J\u{7F}\u{9B}\u{202E}\u{E0041}é").text
                == #""\u001b[2J\u007f\u009b\u202e\udb40\udc41é""#)
    }

    @Test func progressBarFitsItsWidth() {
        for width in 0...100 {
            for done in [0, 1, 2500, 5000] {
                #expect(ProgressBar.text(done: done, total: 5000, seconds: 3, width: width).count <= width)
            }
        }
        let half = ProgressBar.text(done: 2500, total: 5000, seconds: 3, width: 100)
        let bar = String(repeating: "━", count: 20) + String(repeating: "─", count: 20)
        #expect(half == bar + "  50 %  2500/5000  3.0 s left")
    }
}
