"""What is shown in a terminal: from the documents of engine.views to rich tables, trees and panels."""
